/**
 * The first bytes decide whether a file is worth a tool's attention, whatever it is called. Playlists, manifests and
 * scripts are text and stop here; so are still images, including those that dress as mp4.
 */
import { open } from 'node:fs/promises';

const HEAD_BYTES = 512;
const MP4_BOXES = ['ftyp', 'moov', 'mdat', 'free', 'skip', 'wide', 'pnot', 'moof', 'styp', 'uuid'];
const STILL_BRANDS = ['avif', 'heic', 'heix', 'mif1'];

export async function looksLikeMedia(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return isMediaHead(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

export function isMediaHead(head: Buffer): boolean {
  const text = (from: number, to: number) => head.toString('latin1', from, to);
  const hex = (bytes: number) => head.toString('hex', 0, bytes);
  if (MP4_BOXES.includes(text(4, 8))) return !(text(4, 8) === 'ftyp' && STILL_BRANDS.includes(text(8, 12)));
  return (
    hex(4) === '1a45dfa3' || // Matroska, WebM
    (head[0] === 0x47 && head[188] === 0x47) || // MPEG-TS
    (head[4] === 0x47 && head[196] === 0x47) || // MPEG-TS with time codes (m2ts)
    (text(0, 4) === 'RIFF' && ['AVI ', 'WAVE'].includes(text(8, 12))) ||
    ['FLV\x01', 'OggS', 'fLaC'].includes(text(0, 4)) ||
    hex(4) === '3026b275' || // ASF, WMV
    (hex(3) === '000001' && (head[3] ?? 0) >= 0xb0) || // MPEG program or elementary stream
    text(0, 3) === 'ID3' ||
    (head[0] === 0xff && ((head[1] ?? 0) & 0xe0) === 0xe0) // MPEG audio, ADTS
  );
}
