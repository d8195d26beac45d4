/**
 * `npm run deploy`: one environment of wrangler.toml, from an account with nothing in it to a server that answers; and
 * again for every new release. What has to exist is read from wrangler.toml and looked for; what is missing is made;
 * then migrations, the Worker, and a look from outside. Each step may be repeated, so after a failure the same command
 * goes on. `--plan` says all of it and asks nobody.
 */
import { chooseAccount } from './deploy/account.ts';
import { api } from './deploy/api.ts';
import { existing } from './deploy/existing.ts';
import { readDeployOptions } from './deploy/options.ts';
import { tellPlan } from './deploy/plan.ts';
import { publish } from './deploy/publish.ts';
import { Report } from './deploy/report.ts';
import { migrations, resources } from './deploy/resources.ts';
import { missingSecrets } from './deploy/secrets.ts';
import { lookFromOutside } from './deploy/smoke.ts';
import { settingsForTranscoders } from './deploy/transcoders.ts';
import { noAddress, readWanted } from './deploy/wanted.ts';
import { VERSION } from './health.ts';
import { main, Refusal } from './main.ts';
import { Wrangler } from './wrangler/child.ts';

await main(async (stop) => {
  const options = readDeployOptions(process.argv.slice(2));
  const report = new Report(options.json);
  const wanted = readWanted(options);
  const { env } = wanted;
  if (options.plan) {
    tellPlan(wanted, new Wrangler(env, stop), report);
    return 0;
  }
  if (!wanted.isReachable) throw noAddress(env);

  const cloudflare = await api(new Wrangler(env, stop));
  const account = await chooseAccount(cloudflare, wanted.account);
  report.done(`the account ${account.name ?? account.id}`, 'there');
  const wrangler = new Wrangler(env, stop, account.id);
  const found = await existing(cloudflare, account.id, wanted);
  for (const { what, isThere, make } of resources(wanted, found)) {
    if (!isThere) await wrangler.run(make);
    report.done(what, isThere ? 'there' : 'made');
  }
  const secrets = missingSecrets(wanted, found);
  for (const name of wanted.secrets) report.done(`the secret ${name}`, secrets.has(name) ? 'made' : 'there');
  for (const { what, make } of migrations(wanted)) {
    await wrangler.run(make);
    report.done(what, 'done');
  }
  report.settings(await settingsForTranscoders(wanted, cloudflare, account.id, secrets));
  const deployed = await publish(wanted, secrets, wrangler);
  report.done(`the Worker ${wanted.worker}, version ${deployed.version_id ?? 'unknown'}`, 'deployed');
  const address = wanted.address ?? deployed.address;
  if (address === null)
    throw new Refusal('It is deployed, but wrangler does not say where. Name the address with --url.');
  const { seen, hasKey } = await lookFromOutside(address, process.env.REELWIRE_KEY, stop);
  for (const what of seen) report.done(what, 'seen');
  report.summary({ version: VERSION, address, env, hasKey });
  return 0;
});
