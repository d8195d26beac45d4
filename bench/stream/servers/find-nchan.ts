/** Looks for an nginx with the nchan module, as Debian's nginx and libnginx-mod-nchan install it. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const MODULES = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/local/lib/nginx/modules'];

/** Null where there is none. */
export function findNchan(): { nginx: string; module: string } | null {
  for (const nginx of ['nginx', '/usr/sbin/nginx', '/usr/local/sbin/nginx']) {
    try {
      execFileSync(nginx, ['-v'], { stdio: 'ignore' });
    } catch {
      continue;
    }
    const module = MODULES.map((folder) => join(folder, 'ngx_nchan_module.so')).find((path) => existsSync(path));
    return module ? { nginx, module } : null;
  }
  return null;
}
