// Runs scripts of package.json at the same time: `node scripts/atOnce.mjs lint typecheck build`. Fails where one of them does.
import { spawn } from 'node:child_process';

const run = (name) =>
  new Promise((resolve) => {
    const child = spawn('npm', ['run', name, '--silent'], { stdio: 'inherit' });
    child.once('error', () => resolve(name));
    child.once('exit', (code) => resolve(code === 0 ? undefined : name));
  });

const failed = (await Promise.all(process.argv.slice(2).map(run))).filter(Boolean);
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(', ')}`);
  process.exit(1);
}
