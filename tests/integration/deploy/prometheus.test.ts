import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createPreviewMetrics } from '../../../src/worker/previewMetrics.ts';
import { hasPrometheus } from '../../support/prometheus.ts';

const ROOT = join(import.meta.dirname, '../../..');
const FOLDER = join(ROOT, 'deploy/prometheus');

interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  labels?: { severity?: string };
  annotations?: { summary: string; runbook: string };
}
interface RuleTest {
  alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[];
}

const readYaml = (name: string): unknown => parse(readFileSync(join(FOLDER, name), 'utf8'));
const { groups } = readYaml('rules.yml') as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert);
const tested = (readYaml('rules.test.yml') as { tests: RuleTest[] }).tests.map(
  (test) => test.alert_rule_test,
);
const sections = [...readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8').matchAll(/^## (.+)$/gm)];

describe.skipIf(!hasPrometheus())('promtool (skipped where it is not installed)', () => {
  it.each([
    ['check', 'rules', 'rules.yml'],
    ['check', 'config', 'prometheus.yml'],
    ['check', 'config', 'compose.yml'],
    ['test', 'rules', 'rules.test.yml'],
  ])('has nothing against %s %s %s', (...args) => {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: FOLDER, encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
  });
});

describe('the rules', () => {
  it('use metrics that the service has, and labels that they have', () => {
    const { registry, ...defined } = createPreviewMetrics();
    const names = Object.values(defined).map((metric) => Reflect.get(metric, 'name'));
    for (const { expr } of rules) {
      for (const [metric] of expr.matchAll(/\bpreview_worker_\w+/g))
        expect(names, expr).toContain(metric.replace(/_(bucket|count|sum)$/, ''));
      for (const [recorded] of expr.matchAll(/\bpreview:\S+/g))
        expect(rules.map(({ record }) => record)).toContain(recorded);
    }
    expect(rules.map(({ expr }) => expr).join()).toContain('preview_worker_jobs_total');
  });
});

describe.each(alerts.map((rule) => [String(rule.alert), rule] as const))('the alert %s', (alert, rule) => {
  it('says how urgent it is, the number, and where to read on', () => {
    expect(rule.labels?.severity).toMatch(/^(page|ticket)$/);
    expect(rule.annotations?.summary).toContain('{{ $value');
    expect(rule.annotations?.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
    expect(sections.map(([, title]) => title)).toContain(alert);
  });

  it('fires in one test, and stays silent in another', () => {
    const fires = (test: RuleTest['alert_rule_test']): boolean =>
      test.some(({ alertname, exp_alerts = [] }) => alertname === alert && exp_alerts.length > 0);
    const silent = (test: RuleTest['alert_rule_test']): boolean =>
      test.some(({ alertname, exp_alerts = [] }) => alertname === alert && exp_alerts.length === 0);
    expect(tested.some(fires)).toBe(true);
    expect(tested.some(silent)).toBe(true);
  });
});
