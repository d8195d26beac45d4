/** A form whose file is a stream: `FormData` holds whole files only, so the form around the file is written by hand. */

/** The request that sends `fields` and then `video`, chunk by chunk. */
export function streamedForm(fields: FormData, video: ReadableStream<Uint8Array>): RequestInit & { duplex: 'half' } {
  const boundary = `reelwire-${crypto.randomUUID()}`;
  const part = (disposition: string) => `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`;
  let head = '';
  for (const [name, value] of fields) head += `${part(`name="${name}"`)}\r\n${value}\r\n`;
  head += `${part('name="video"; filename="video"')}Content-Type: application/octet-stream\r\n\r\n`;
  return {
    method: 'POST',
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
    body: video.pipeThrough(framed(head, `\r\n--${boundary}--\r\n`)),
    duplex: 'half',
  };
}

function framed(head: string, tail: string): TransformStream<Uint8Array, Uint8Array> {
  const encoder = new TextEncoder();
  return new TransformStream({
    start: (out) => out.enqueue(encoder.encode(head)),
    flush: (out) => out.enqueue(encoder.encode(tail)),
  });
}
