/**
 * The little of ISO 14496-12 that is needed: the exact duration of a segment from its `sidx`, and init segments
 * written alike by every take, so that one init serves them all (no times of writing, `mehd` from the plan).
 */

interface Box {
  readonly type: string;
  /** Where the payload begins and ends. */
  readonly start: number;
  readonly end: number;
}

const CONTAINERS: ReadonlySet<string> = new Set(['moov', 'trak', 'mdia', 'mvex']);

function* boxes(bytes: Buffer, from = 0, to = bytes.length): Generator<Box> {
  for (let at = from; at + 8 <= to; ) {
    const short = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const large = short === 1 && at + 16 <= to;
    const size = large ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? to - at : short;
    const start = at + (large ? 16 : 8);
    if (at + size < start) throw new Error(`mp4: the size of a ${type} box is impossible`);
    yield { type, start, end: at + size };
    at += size;
  }
}

function* deepBoxes(bytes: Buffer, from = 0, to = bytes.length): Generator<Box> {
  for (const box of boxes(bytes, from, to)) {
    yield box;
    if (CONTAINERS.has(box.type)) yield* deepBoxes(bytes, box.start, box.end);
  }
}

/** Seconds of media in a segment, from its first bytes. */
export function segmentDuration(head: Buffer): number {
  for (const { type, start, end } of boxes(head)) {
    if (type !== 'sidx') continue;
    if (end > head.length) break;
    const wide = bytesOfVersion(head, start);
    const timescale = head.readUInt32BE(start + 8);
    const count = head.readUInt16BE(start + 12 + 2 * wide + 2);
    const first = start + 12 + 2 * wide + 4;
    let ticks = 0;
    for (let index = 0; index < count; index += 1) ticks += head.readUInt32BE(first + 12 * index + 4);
    return ticks / timescale;
  }
  throw new Error('mp4: the segment has no sidx box at its beginning');
}

/** Whether all boxes of an init segment are there: the packager writes it a second time when it ends. */
export function isWholeInit(init: Buffer): boolean {
  let end = 0;
  let hasMoov = false;
  for (const box of boxes(init)) {
    end = box.end;
    hasMoov ||= box.type === 'moov';
  }
  return hasMoov && end === init.length;
}

/**
 * The init with everything cleared that depends on the moment of writing, and with the duration that every take agrees
 * on. Shaka Packager 3.4.2 writes it twice: when it begins, and again when it ends, then with `mehd` (at the front of
 * `mvex`) and a default sample duration in `trex`. Its fragments carry their own default, so that one is cleared.
 */
export function unifiedInit(original: Buffer, seconds: number): Buffer {
  const init = withMehd(original);
  let timescale = 0;
  for (const { type, start } of deepBoxes(init)) {
    const width = bytesOfVersion(init, start);
    switch (type) {
      case 'mvhd':
        init.fill(0, start + 4, start + 4 + 2 * width);
        timescale = init.readUInt32BE(start + 4 + 2 * width);
        break;
      case 'tkhd':
      case 'mdhd':
        init.fill(0, start + 4, start + 4 + 2 * width);
        break;
      case 'trex':
        init.fill(0, start + 12, start + 16);
        break;
      case 'mehd':
        init.writeBigUInt64BE(BigInt(Math.round(seconds * timescale)), start + 4);
        break;
    }
  }
  if (timescale === 0) throw new Error('mp4: the init segment has no mvhd box');
  return init;
}

/** A copy whose `mehd` is of version 1, with 64 bits for the duration. */
function withMehd(init: Buffer): Buffer {
  const all = [...deepBoxes(init)];
  const find = (type: string): Box => {
    const box = all.find((candidate) => candidate.type === type);
    if (!box) throw new Error(`mp4: the init segment has no ${type} box`);
    return box;
  };
  const [moov, mvex] = [find('moov'), find('mvex')];
  const old = all.find(({ type }) => type === 'mehd');
  const mehd = Buffer.alloc(20);
  mehd.writeUInt32BE(mehd.length, 0);
  mehd.write('mehd', 4, 'latin1');
  mehd[8] = 1;
  const rest = old
    ? Buffer.concat([init.subarray(mvex.start, old.start - 8), init.subarray(old.end)])
    : init.subarray(mvex.start);
  const unified = Buffer.concat([init.subarray(0, mvex.start), mehd, rest]);
  for (const box of [moov, mvex]) {
    unified.writeUInt32BE(init.readUInt32BE(box.start - 8) + unified.length - init.length, box.start - 8);
  }
  return unified;
}

/** A full box of version 1 has 64-bit fields where version 0 has 32 bits. */
const bytesOfVersion = (bytes: Buffer, start: number): 4 | 8 => (bytes[start] === 1 ? 8 : 4);
