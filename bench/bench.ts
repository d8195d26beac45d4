/** `npm run bench [-- pipeline | stream | upload [...]]`: one of the benchmarks, or all, one after the other. */
const BENCHMARKS = ['pipeline', 'stream', 'upload'];

const [name, ...rest] = process.argv.slice(2);
if (name !== undefined && !BENCHMARKS.includes(name)) {
  console.error(`There is no benchmark ${name}. There are: ${BENCHMARKS.join(', ')}`);
  process.exit(2);
}
process.argv.splice(2, process.argv.length, ...rest);
for (const one of name === undefined ? BENCHMARKS : [name]) await import(`./${one}.ts`);
