/** Why an upload does not take what it is given, in words for whoever sent it. */
import { Refusal } from '../job/draft.ts';

export const uploadNotFound = (): Refusal =>
  new Refusal('upload_not_found', 'There is no upload with this id; it may have been deleted.');

export const uploadGone = (): Refusal =>
  new Refusal('upload_gone', 'The upload was cancelled, deleted, or not finished in time. Begin a new one.');

export const uploadBusy = (): Refusal =>
  new Refusal(
    'upload_busy',
    'Storage does not answer at the moment. What arrived is kept: ask for the offset and go on.',
  );

export const takenOver = (): Refusal =>
  new Refusal(
    'offset_conflict',
    'Another request has taken this upload over. Ask for the offset and go on from there.',
  );

export const otherOffset = (offset: number): Refusal =>
  new Refusal('offset_conflict', `The upload is at offset ${offset}. Go on from there.`);

export const cutOff = (): Refusal =>
  new Refusal('body_incomplete', 'The body ended before it was complete. Ask for the offset and go on from there.');

export const otherChecksum = (): Refusal =>
  new Refusal('checksum_mismatch', 'The bytes do not match Upload-Checksum; none of them was kept. Send them again.');

export const tooLong = (length: number): Refusal =>
  new Refusal('too_large', `These bytes would exceed the ${length} that the upload may have.`);

export const otherLength = (): Refusal =>
  new Refusal('invalid_request', 'Upload-Length was said before, or is less than what has arrived.');

export const emptyFile = (): Refusal => new Refusal('empty_file', 'The file has no bytes. Send a video.');
