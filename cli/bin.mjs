#!/usr/bin/env node
/** The `reelwire` command. It is TypeScript, which Node runs as it is from 22.18 on; an older one gets a sentence. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  await import('./reelwire.ts');
} else {
  console.error(
    `reelwire needs Node 22.18 or newer; this is ${process.versions.node}. "npx reelwire" in the repository brings the right one along, or install a newer Node.`,
  );
  process.exitCode = 2;
}
