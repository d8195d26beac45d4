/**
 * The load generator, a process of its own: does one case to one server, measures, sends the result to its parent and
 * ends. What it is told comes as its one argument.
 */
import { z } from 'zod';
import { CASES } from './cases.ts';
import { Kind } from './channels.ts';
import { runCase } from './load.ts';

const Task = z.object({ case: z.string(), kind: Kind, port: z.int(), pid: z.int() });
export type Task = z.infer<typeof Task>;

const task = Task.parse(JSON.parse(process.argv[2] ?? ''));
const one = CASES.find(({ name }) => name === task.case);
if (!one) throw new Error(`There is no case ${task.case}`);
process.once('disconnect', () => process.exit());
process.send?.(await runCase(one, task.kind, task.port, task.pid));
process.disconnect?.();
