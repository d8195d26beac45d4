/** `npm run bench [-- pipeline | upload | stream [...]]`: one of the benchmarks, or all, one after the other. */
const BENCHMARKS = ['pipeline', 'upload', 'stream'];

const [name, ...rest] = process.argv.slice(2);
if (name !== undefined && !BENCHMARKS.includes(name)) {
  console.error(`There is no benchmark ${name}. There are: ${BENCHMARKS.join(', ')}`);
  process.exit(2);
}
process.argv.splice(2, process.argv.length, ...rest);
for (const one of name === undefined ? BENCHMARKS : [name]) await import(`./${one}.ts`);
