import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { settings } from '../../../src/config.ts';
import { type Instruction, jsonForm, readDockerfile } from '../../support/dockerfile.ts';

const DEPLOY = join(import.meta.dirname, '../../../deploy');
const read = (name: string): string => readFileSync(join(DEPLOY, name), 'utf8');
const has = (...command: [string, ...string[]]): boolean =>
  spawnSync(command[0], command.slice(1)).status === 0;

const known = [
  ...Object.values(settings).map(({ name }) => name),
  'NODE_ENV',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
];
const jobSeconds = Number(settings.jobTimeoutSeconds.fallback);

/** The parts of Kubernetes' objects that are looked at. */
interface Workload {
  kind: string;
  metadata: { name: string };
  spec: {
    replicas?: number;
    selector: { matchLabels: Record<string, string> };
    template: { metadata: { labels: Record<string, string> }; spec: PodSpec };
  };
}
interface PodSpec {
  terminationGracePeriodSeconds: number;
  securityContext: { runAsNonRoot: boolean };
  volumes: { name: string }[];
  containers: Container[];
}
interface Container {
  args: string[];
  env: { name: string; value: string }[];
  ports: { name: string; containerPort: number }[];
  securityContext: Record<string, unknown>;
  volumeMounts: { name: string; mountPath: string }[];
  livenessProbe: { httpGet: { path: string; port: string } };
  readinessProbe: { httpGet: { path: string; port: string } };
}

describe('the image', () => {
  const stages = readDockerfile(read('Dockerfile'));
  const [build, image] = stages;
  const all = stages.flatMap(({ instructions }) => instructions);
  const of = (name: string, from = all): Instruction[] => from.filter((each) => each.name === name);

  it('sets variables that the service reads, and does not run as root', () => {
    const names = of('ENV', image?.instructions).flatMap(({ words }) =>
      words.map((word) => word.split('=')[0]),
    );
    expect(names.length).toBeGreaterThan(2);
    for (const name of names) expect(known).toContain(name);
    expect(of('USER', image?.instructions).map(({ text }) => text)).toEqual(['node']);
    // What comes after it runs as that user, and none of it needs root.
    const user = image?.instructions.findIndex(({ name }) => name === 'USER') ?? -1;
    expect(of('RUN', image?.instructions.slice(user))).toEqual([]);
  });

  it('keeps the rules that hadolint checks: pinned bases, no ADD, no latest, no sudo, absolute WORKDIR, JSON commands', () => {
    expect(stages).toMatchObject([{ alias: 'build' }, { alias: undefined }]);
    for (const { base } of stages) expect(base).toMatch(/^node:\d+-[a-z]+-slim$/);
    expect(of('ADD')).toEqual([]);
    for (const { text } of of('WORKDIR')) expect(text).toMatch(/^\//);
    expect([...of('ENTRYPOINT'), ...of('CMD')].map(jsonForm)).toEqual([['node', 'dist/cli.js'], ['serve']]);
    for (const { text } of of('RUN')) expect(text).not.toMatch(/\bsudo\b|apt-get upgrade|curl .*\| *sh/);
    expect(of('HEALTHCHECK', image?.instructions)).toHaveLength(1);
  });

  it('copies only what is let through to it, and from its first stage', () => {
    const allowed = read('Dockerfile.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copies = of('COPY');
    const copied = copies.filter(({ options }) => !options.from).flatMap(({ words }) => words.slice(0, -1));
    const present = readdirSync(join(DEPLOY, '..'));
    expect(copied).toContain('src');
    for (const name of copied) {
      expect(allowed).toContain(name);
      expect(present).toContain(name);
    }
    for (const { options } of copies) expect([undefined, build?.alias]).toContain(options.from);
  });
});

describe('compose.yaml', () => {
  const { services } = parse(read('compose.yaml'), { merge: true }) as {
    services: Record<
      string,
      { environment?: Record<string, string>; command?: string[]; volumes?: string[]; read_only?: boolean }
    >;
  };

  it('sets variables that the service reads', () => {
    for (const { environment = {} } of Object.values(services))
      for (const name of Object.keys(environment)) expect(known).toContain(name);
    expect(services.worker?.command).toEqual(['worker']);
    expect(services.worker?.read_only).toBe(true);
  });

  it('mounts files that are there', () => {
    const mounted = Object.values(services)
      .flatMap(({ volumes = [] }) => volumes)
      .filter((volume) => volume.startsWith('./'))
      .map((volume) => volume.split(':')[0] ?? '');
    expect(mounted.length).toBeGreaterThan(3);
    for (const path of mounted)
      expect(readdirSync(join(DEPLOY, path, '..'))).toContain(path.split('/').at(-1));
  });
});

describe('the files of Kubernetes', async () => {
  const { Deployment } = await import('kubernetes-models/apps/v1');
  const { Service, ServiceAccount } = await import('kubernetes-models/v1');
  const { PodDisruptionBudget } = await import('kubernetes-models/policy/v1');
  const { NetworkPolicy } = await import('kubernetes-models/networking.k8s.io/v1');
  const { ScaledObject } = await import('@kubernetes-models/keda/keda.sh/v1alpha1');
  const kinds: Record<string, new (object: never) => { validate(): void }> = {
    ...{ Deployment, Service, ServiceAccount, PodDisruptionBudget, NetworkPolicy, ScaledObject },
  };
  const validate = (object: { kind: string }): void => {
    const Model = kinds[object.kind];
    if (!Model) throw new Error(`no schema for ${object.kind}`);
    new Model(object as never).validate();
  };
  const objects = readdirSync(join(DEPLOY, 'kubernetes'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml') && !file.endsWith('kustomization.yaml'))
    .flatMap((file) =>
      parseAllDocuments(read(`kubernetes/${file}`)).map((document) => document.toJS() as Workload),
    );

  it.each(objects.map((object) => [object.kind, object.metadata.name, object] as const))(
    '%s %s matches the schema of Kubernetes or KEDA',
    (_kind, _name, object) => expect(() => validate(object)).not.toThrow(),
  );

  it('would not match with a mistake in them', () => {
    const [worker] = objects.filter(({ kind }) => kind === 'Deployment');
    const wrong = { ...worker, kind: 'Deployment', spec: { ...worker?.spec, replicas: 'two' } };
    expect(() => validate(wrong)).toThrow(/replicas must be integer/);
    const [scaled] = objects.filter(({ kind }) => kind === 'ScaledObject');
    expect(() => validate({ ...scaled, kind: 'ScaledObject', spec: {} } as never)).toThrow(/scaleTargetRef/);
  });

  it('are of every kind that it takes: two workloads, disruption budgets, network policies, scaling by the backlog', () => {
    expect(objects.map(({ kind }) => kind).sort()).toEqual([
      ...['Deployment', 'Deployment', 'NetworkPolicy', 'NetworkPolicy', 'PodDisruptionBudget'],
      ...['PodDisruptionBudget', 'ScaledObject', 'Service', 'ServiceAccount'],
    ]);
    const scaled = JSON.stringify(objects.find(({ kind }) => kind === 'ScaledObject'));
    const recorded = readFileSync(join(DEPLOY, 'prometheus/rules.yml'), 'utf8');
    const [, query = ''] = /"query":"([^"]+)"/.exec(scaled) ?? [];
    expect(recorded).toContain(`record: ${query}\n`);
  });
});

describe.skipIf(!has('kubectl', 'version', '--client')).each(['staging', 'production'])(
  'kustomize %s (skipped where kubectl is not installed)',
  (overlay) => {
    const built = spawnSync('kubectl', ['kustomize', join(DEPLOY, 'kubernetes', overlay)], {
      encoding: 'utf8',
    });
    const objects = parseAllDocuments(built.stdout || '{}').map((document) => document.toJS() as Workload);
    const workloads = objects.filter(({ kind }) => kind === 'Deployment');

    it('builds an API and workers', () => {
      expect(built.status, built.stderr).toBe(0);
      expect(workloads.map(({ metadata }) => metadata.name).sort()).toEqual([
        'preview-api',
        'preview-worker',
      ]);
    });

    it('selects its own pods', () => {
      for (const { spec } of workloads)
        expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    });

    it('leaves a worker more time than a job may take, and the pod more than the worker', () => {
      const pod = workloads.find(({ metadata }) => metadata.name === 'preview-worker')?.spec.template.spec;
      const grace = pod?.containers[0]?.env.find(({ name }) => name === 'PREVIEW_SHUTDOWN_GRACE_SECONDS');
      expect(Number(grace?.value)).toBeGreaterThan(jobSeconds);
      expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(Number(grace?.value));
    });

    it('gives its containers no more than they need', () => {
      for (const { spec } of workloads) {
        const pod = spec.template.spec;
        expect(pod.securityContext.runAsNonRoot).toBe(true);
        for (const container of pod.containers) {
          expect(container.securityContext).toEqual({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
          expect(container.livenessProbe.httpGet.path).toBe('/livez');
          expect(container.readinessProbe.httpGet.path).toBe('/readyz');
          const volumes = pod.volumes.map(({ name }) => name);
          for (const { name } of container.volumeMounts) expect(volumes).toContain(name);
        }
      }
    });

    it('asks each process on its own port', () => {
      const ports = Object.fromEntries(
        workloads.map(({ metadata, spec }) => [
          metadata.name,
          spec.template.spec.containers[0]?.ports[0]?.containerPort,
        ]),
      );
      expect(ports).toEqual({
        'preview-api': Number(settings.port.fallback),
        'preview-worker': Number(settings.workerPort.fallback),
      });
    });

    it('configures variables that the service reads', () => {
      const data = objects.flatMap((object) => Object.keys(Reflect.get(object, 'data') ?? {}));
      expect(data.length).toBeGreaterThan(3);
      for (const name of data) expect(known).toContain(name);
    });
  },
);

describe('the systemd units', () => {
  const units = readdirSync(join(DEPLOY, 'systemd'));

  it.each(units)('%s sets variables that the service reads, and stops in time', (unit) => {
    const text = read(`systemd/${unit}`);
    const [, environment = ''] = /^Environment=(.+)$/m.exec(text) ?? [];
    const values = Object.fromEntries(environment.split(' ').map((pair) => pair.split('=')));
    for (const name of Object.keys(values)) expect(known).toContain(name);
    const stop = Number(/^TimeoutStopSec=(\d+)$/m.exec(text)?.[1]);
    expect(stop).toBeGreaterThan(Number(values.PREVIEW_SHUTDOWN_GRACE_SECONDS));
    // Without it systemd would end the render children of a job that is to be finished.
    expect(text).toContain('KillMode=mixed');
  });

  it.skipIf(!has('systemd-analyze', '--version'))(
    'are accepted by systemd (skipped where it is not installed)',
    () => {
      const files = units.map((unit) => join(DEPLOY, 'systemd', unit));
      const { stderr } = spawnSync('systemd-analyze', ['verify', ...files], { encoding: 'utf8' });
      // That node is somewhere else on this machine is no fault of the unit.
      const complaints = stderr.split('\n').filter((line) => line && !line.includes('is not executable'));
      expect(complaints).toEqual([]);
    },
  );
});
