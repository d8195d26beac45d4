/** Sends a file as a form; returns the id of its job. */
export async function upload(edge: string, file: File): Promise<string> {
  const form = new FormData();
  form.append('video', file);
  form.append('key', file.name);
  const answer = await fetch(`${edge}/process`, { method: 'POST', body: form });
  const { job_id, detail } = await answer.json();
  if (!answer.ok) throw new Error(detail);
  return job_id;
}
