/**
 * A process that uploads one file and says what came of it: `node upload-once.ts URL FILE STORE [DIES_AT]`. It kills
 * itself when more than so many bytes are on their way.
 */
import { openAsBlob } from 'node:fs';
import { fileUploadStore, Reelwire } from '../../client/index.ts';

const [, , url = '', path = '', store = '', diesAt = 'Infinity'] = process.argv;
const sent: number[] = [];
const uploaded = await new Reelwire({ url }).upload(await openAsBlob(path), {
  filename: 'a.mp4',
  chunkBytes: 2 ** 18,
  resume: fileUploadStore(store),
  onCreated: (id) => console.log(id),
  onProgress: (progress) => {
    sent.push(progress.sent);
    if (progress.sent > Number(diesAt)) process.kill(process.pid, 'SIGKILL');
  },
});
console.log(JSON.stringify({ ...uploaded, first: sent[0] }));
