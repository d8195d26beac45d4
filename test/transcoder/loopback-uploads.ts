/** Files that come in parts, as R2 takes them: all of one size but the last, put together in the order of the list. */
import { createHash, randomUUID } from 'node:crypto';
import { CompleteParts, PART_BYTES, type PartStored } from '../../src/contract/transcoder.ts';

export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

export class LoopbackUploads {
  readonly #stored = new Map<string, Map<number, Buffer>>();
  readonly #violations: string[];

  constructor(violations: string[]) {
    this.#violations = violations;
  }

  begin(): { upload_id: string } {
    const upload_id = randomUUID();
    this.#stored.set(upload_id, new Map());
    return { upload_id };
  }

  /** `/<n>?upload_id=<id>`. */
  part(path: string, body: Buffer): PartStored {
    const [, n, id] = /^\/(\d+)\?upload_id=(.+)$/.exec(path) ?? [];
    const parts = this.#stored.get(id ?? '');
    if (!n || !parts) throw new Refusal(404, 'not_found');
    parts.set(Number(n), body);
    return { part: Number(n), etag: etagOf(body) };
  }

  complete(json: string): Buffer {
    const { upload_id, parts } = CompleteParts.parse(JSON.parse(json));
    const stored = this.#stored.get(upload_id);
    if (!stored) throw new Refusal(404, 'not_found');
    this.#stored.delete(upload_id);
    const bodies = parts.map(({ part, etag }, index) => {
      const body = stored.get(part) ?? Buffer.alloc(0);
      if (part !== index + 1 || etag !== etagOf(body)) this.#violations.push(`part ${part} is not what was stored`);
      const isLast = part === parts.length;
      if (body.length !== PART_BYTES && !isLast) this.#violations.push(`part ${part} has ${body.length} bytes`);
      return body;
    });
    return Buffer.concat(bodies);
  }
}

const etagOf = (body: Buffer): string => createHash('sha256').update(body).digest('hex').slice(0, 32);
