import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Package {
  version?: string;
  link?: boolean;
  resolved?: string;
  integrity?: string;
  hasInstallScript?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Package> };
const manifest = JSON.parse(read('package.json')) as Package & { scripts: Record<string, string> };
const nameOf = (path: string): string => path.replace(/^.*node_modules\//, '');
const installed = Object.entries(packages).filter(([path]) => path !== '');

describe('what is installed', () => {
  test('is named exactly, in the lock file as in package.json', () => {
    const wanted = { ...manifest.dependencies, ...manifest.devDependencies };
    expect(Object.values(wanted).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    for (const [name, version] of Object.entries(wanted))
      expect(packages[`node_modules/${name}`]?.version, name).toBe(version);
  });

  test('is checked by its SHA-512, and comes from whatever registry npm is told to use', () => {
    expect(installed.length).toBeGreaterThan(100);
    for (const [path, { integrity, resolved, link }] of installed) {
      expect(link, path).toBeUndefined();
      expect(integrity, path).toMatch(/^sha512-/);
      expect(resolved, path).toBeUndefined();
    }
  });

  test('runs nothing while it is installed, neither its own scripts nor ours', () => {
    expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true');
    const hooks = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
    expect(Object.keys(manifest.scripts).filter((name) => hooks.includes(name))).toEqual([]);
  });

  test('and has a script that is not run: docs/security.md says of each why that is all right', () => {
    const scripted = installed
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => nameOf(path));
    const [, section = ''] = /## What is installed\n(.*?)(\n## |$)/s.exec(read('docs/security.md')) ?? [];
    const explained = [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
    expect(explained).toEqual([...new Set(scripted)].sort());
  });
});
