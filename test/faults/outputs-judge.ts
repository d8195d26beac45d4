/**
 * The judge of a completed job's outputs, as a player meets them: whatever a manifest or the result names is there,
 * is what was committed, and is all of the clip; and storage holds nothing else.
 */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path/posix';
import { parse as parseHls, types } from 'hls-parser';
import { parse as parseMpd } from 'mpd-parser';
import type { Entry } from '../../src/contract/entries.ts';
import { FINAL, iframePlaylist, MASTER, MPD, outputPath, segmentName, takePath } from '../../src/contract/ids.ts';
import type { System } from '../e2e/system.ts';
import type { Clip, ClipShelf } from './clips.ts';

/** Encoders add a frame or leave one out. */
const SLACK_SECONDS = 0.1;
const SLACK_FRAMES = 1;

export class OutputsJudge {
  readonly #system: System;
  readonly #shelf: ClipShelf;
  readonly #job: string;
  readonly #clip: Clip;
  /** Of every accepted commit, by the path of its object. */
  readonly #digests: Map<string, string>;
  readonly #segmentSeconds: number;
  readonly #found: string[] = [];
  /** Paths below the job's outputs. */
  readonly #named = new Set<string>([FINAL]);

  constructor(system: System, shelf: ClipShelf, job: string, clip: Clip, log: readonly Entry[]) {
    this.#system = system;
    this.#shelf = shelf;
    this.#job = job;
    this.#clip = clip;
    const commits = log.flatMap((entry) => (entry.type === '_segments' ? entry.data.commits : []));
    this.#digests = new Map(
      commits.map(({ rendition, take, n, sha256 }) => [takePath(rendition, take, segmentName(n)), sha256]),
    );
    this.#segmentSeconds = log.find((entry) => entry.type === '_plan')?.data.segment_seconds ?? 0;
  }

  /** What is wrong, in words; empty when nothing is. */
  async complaints(): Promise<string[]> {
    const master = parseHls(await this.#text(MASTER));
    if (!(master instanceof types.MasterPlaylist)) return ['the master is no master playlist'];
    const rungs = master.variants.filter(({ isIFrameOnly }) => !isIFrameOnly);
    const sounds = new Set(rungs.flatMap(({ audio }) => audio.flatMap(({ uri }) => uri ?? [])));
    this.#expect(sounds.size, this.#clip.sound ? 1 : 0, 'audio playlists');
    if (rungs.length === 0) this.#found.push('the master names no rung');
    const lists = new Map<string, string[]>();
    for (const { uri } of rungs) lists.set(uri, await this.#rendition(uri, true));
    for (const uri of sounds) lists.set(uri, await this.#rendition(uri, false));
    await this.#dash(lists);
    await this.#result();
    await this.#nothingElse();
    return this.#found;
  }

  /** Reads a playlist and all it names. Gives the segments' paths. */
  async #rendition(path: string, isVideo: boolean): Promise<string[]> {
    const folder = dirname(path);
    const playlist = parseHls(await this.#text(path));
    if (!(playlist instanceof types.MediaPlaylist)) return [];
    const { segments, endlist } = playlist;
    if (!endlist) this.#found.push(`${path} has no end`);
    const pieces: Uint8Array[] = [];
    for (const { uri, map } of segments) {
      for (const piece of [map?.uri, uri]) if (piece) pieces.push(await this.#segment(`${folder}/${piece}`));
    }
    const { seconds, rate } = this.#clip;
    const total = segments.reduce((sum, { duration }) => sum + duration, 0);
    this.#expect(total, seconds, `seconds in ${path}`, SLACK_SECONDS);
    if (isVideo) {
      this.#expect(segments.length, Math.ceil(seconds / this.#segmentSeconds), `segments in ${path}`);
      this.#expect(await this.#shelf.count(Buffer.concat(pieces)), seconds * rate, `frames in ${path}`, SLACK_FRAMES);
      const pictures = parseHls(await this.#text(iframePlaylist(folder)));
      const count = pictures instanceof types.MediaPlaylist ? pictures.segments.length : 0;
      this.#expect(count, segments.length, `pictures in ${iframePlaylist(folder)}`);
    }
    return segments.map(({ uri }) => `${folder}/${uri}`);
  }

  /** The MPD names as many segments as the playlists, all of them stored. */
  async #dash(lists: ReadonlyMap<string, string[]>): Promise<void> {
    const base = `${this.#system.url}${outputPath(this.#job, '')}`;
    const mpd = parseMpd(await this.#text(MPD), { manifestUri: base });
    this.#expect(mpd.duration, this.#clip.seconds, `seconds in ${MPD}`, SLACK_SECONDS);
    const sounds = Object.values(mpd.mediaGroups.AUDIO).flatMap((group) => Object.values(group));
    const playlists = [...mpd.playlists, ...sounds.flatMap(({ playlists: own }) => own)];
    const counts = playlists.map(({ segments }) => segments.length).sort();
    this.#expect(
      counts.join(),
      [...lists.values()]
        .map(({ length }) => length)
        .sort()
        .join(),
      `segments in ${MPD}`,
    );
    for (const { segments } of playlists) {
      const maps = new Set(segments.map(({ map }) => new URL(map.uri, base).href));
      for (const address of [...maps, ...segments.map(({ resolvedUri }) => resolvedUri)]) {
        await this.#segment(address.slice(base.length));
      }
    }
  }

  async #result(): Promise<void> {
    const { result } = await this.#system.job(this.#job);
    if (!result) return void this.#found.push('the job has no result');
    this.#expect(result.duration_seconds, this.#clip.seconds, 'seconds in the result', SLACK_SECONDS);
    const base = outputPath(this.#job, '');
    const { hls, dash, poster, storyboard } = result.playback;
    if (!hls || !dash || !poster || !storyboard) this.#found.push('the result lacks a way to play');
    for (const { path, size_bytes } of result.artifacts) {
      this.#expect((await this.#bytes(path.slice(base.length))).length, size_bytes, `bytes of ${path}`);
    }
  }

  async #nothingElse(): Promise<void> {
    const prefix = `${this.#job}/`;
    const { objects } = await (await this.#system.bindings()).OUTPUT.list({ prefix });
    const stored = objects.map(({ key }) => key.slice(prefix.length));
    const others = stored.filter((path) => !this.#named.has(path));
    if (others.length > 0) this.#found.push(`nothing names what is stored as ${others.join(', ')}`);
  }

  async #segment(path: string): Promise<Uint8Array> {
    const bytes = await this.#bytes(path);
    const digest = createHash('sha256').update(bytes).digest('hex');
    if (digest !== this.#digests.get(path)) this.#found.push(`${path} is not what was committed`);
    return bytes;
  }

  async #bytes(path: string): Promise<Uint8Array> {
    this.#named.add(path);
    const answer = await this.#system.output(this.#job, path);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (answer.status !== 200) this.#found.push(`${path} is answered with ${answer.status}`);
    return bytes;
  }

  async #text(path: string): Promise<string> {
    return new TextDecoder().decode(await this.#bytes(path));
  }

  #expect<T extends number | string>(is: T, should: T, what: string, slack = 0): void {
    const isRight =
      typeof is === 'number' && typeof should === 'number' ? Math.abs(is - should) <= slack : is === should;
    if (!isRight) this.#found.push(`${what}: ${is} instead of ${should}`);
  }
}
