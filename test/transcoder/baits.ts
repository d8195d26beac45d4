/**
 * Files that name another file, another machine or a port, in every format in which ffmpeg would follow: each beside
 * the canaries it names, and with what a bare ffmpeg needs to go all the way.
 */
import { join } from 'node:path';
import { CANARY, type Canaries } from './canaries.ts';

export interface Bait {
  readonly name: string;
  readonly file: string;
  readonly text: (canaries: Canaries) => string;
  readonly reaches: 'file' | 'connection' | 'port';
  /** What ffmpeg 7.0 must be told to go all the way, besides the lack of whitelists. */
  readonly loosened?: readonly string[];
}

const DASH_NS = 'xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"';

export const dash = (address: string): string =>
  `<MPD ${DASH_NS} type="static" mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp4">` +
  `<Representation id="1" bandwidth="1"><BaseURL>${address}</BaseURL></Representation></AdaptationSet></Period></MPD>`;

const hls = (address: string): string =>
  `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${address}\n#EXT-X-ENDLIST\n`;

const script = (name: string): string => `ffconcat version 1.0\nfile '${name}'\n`;

const sdp = (port: number): string =>
  ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', `m=video ${port} RTP/AVP 96`]
    .concat('a=rtpmap:96 H264/90000', '')
    .join('\r\n');

const NET = ['-protocol_whitelist', 'file,http,tcp,rtp,udp'];

export const BAITS: readonly Bait[] = [
  { name: 'a DASH manifest with an http address', file: 'a.mp4', text: ({ url }) => dash(url), reaches: 'connection' },
  {
    name: 'a DASH manifest with a file address',
    file: 'b.mp4',
    text: ({ folder }) => dash(`file:${join(folder, CANARY)}`),
    reaches: 'file',
  },
  {
    name: 'a DASH manifest whose first bytes look like an mp4',
    file: 'c.mp4',
    text: () => `<!--free-->${dash(CANARY)}`,
    reaches: 'file',
  },
  { name: 'a DASH manifest without a name', file: 'source', text: ({ url }) => dash(url), reaches: 'connection' },
  { name: 'an HLS playlist', file: 'list.m3u8', text: () => hls(CANARY), reaches: 'file' },
  {
    name: 'an HLS playlist with an http address',
    file: 'far.m3u8',
    text: ({ url }) => hls(url),
    ...{ reaches: 'connection', loosened: NET },
  },
  {
    // ffmpeg 7.0 takes a playlist for one by its name; others look inside.
    name: 'playlist text that is called mp4',
    file: 'd.mp4',
    text: ({ folder }) => hls(join(folder, CANARY)),
    ...{ reaches: 'file', loosened: ['-f', 'hls'] },
  },
  { name: 'a script with a relative name', file: 'e.mp4', text: () => script(CANARY), reaches: 'file' },
  {
    name: 'a script with a name in the parent folder',
    file: 'f.mp4',
    text: () => script(`../${CANARY}`),
    ...{ reaches: 'file', loosened: ['-safe', '0'] },
  },
  {
    name: 'a script with an absolute name',
    file: 'g.mp4',
    text: ({ folder }) => script(join(folder, CANARY)),
    ...{ reaches: 'file', loosened: ['-safe', '0'] },
  },
  {
    name: 'a script with an http address',
    file: 'h.mp4',
    text: ({ url }) => script(url),
    ...{ reaches: 'connection', loosened: ['-safe', '0', ...NET] },
  },
  {
    name: 'a session description',
    file: 'i.mp4',
    text: ({ heldPort }) => sdp(heldPort),
    ...{ reaches: 'port', loosened: NET },
  },
];
