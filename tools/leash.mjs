/**
 * Preloaded into `wrangler dev` (`--import`), which is two Node processes: its launcher, tied to us by an IPC channel,
 * and its worker, tied to the launcher by another. When a channel closes, its other end has died, even by SIGKILL:
 * the whole process group goes too. Without this, workerd stays behind and keeps answering on the port
 * (wrangler 4.135).
 */
process.on('disconnect', () => process.kill(0, 'SIGKILL'));
