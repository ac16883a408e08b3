import { expect, it } from 'vitest';
import type { PreviewJob } from '../../../src/job/previewJob.types.ts';
import { buildPlan } from '../../../src/render/plan/plan.ts';
import { buildTimeline } from '../../../src/render/timeline/timeline.ts';

function segmentKey(title: string, text?: string): string | undefined {
  const previewRequest = { steps: [text === undefined ? { title } : { title, text }], assets: [], audio: {} };
  const job: PreviewJob = {
    jobId: 'keys',
    projectId: 'tests',
    requestId: 'r',
    dryRun: false,
    previewRequest,
  };
  const timeline = buildTimeline(previewRequest, new Map(), 30);
  return buildPlan(job, timeline, [], new Map()).entries[0]?.segment.key;
}

/** Of version 14 of the renderer: a new version has other keys, and nothing else may change them. */
it.each([
  [
    'Latin',
    'bc9e8ddcd1c31982f581c4b0b36a2d1ef4659ed5c3a09b17ef1deaa12d6a17b4',
    'Pour slowly',
    'In circles, from the middle to the rim: 160 g.',
  ],
  [
    'Japanese',
    'aa6fd908a00f97786fece204807a4cb26dd82bfb771d7060ce7df9b888e48951',
    '茶を淹れる',
    'ゆっくり。',
  ],
  ['one word of Thai', '5e8976afaee428cd84b5bd96514b1266446432b278e520ea053e2a1636c4c1fb', 'กาแฟ'],
])(
  'a segment with words of %s is found in a store of an earlier release',
  (_words, key, title, text?: string) => {
    expect(segmentKey(title, text)).toBe(key);
  },
);

it('a segment whose Thai was once broken inside words is made anew', () => {
  const before = '879e2279a95ebdf83447a1e52f90707ef0dff61d7e9fdc90482a9a07f6ea9af6';
  expect(segmentKey('ชงกาแฟ', 'ช้าๆ แล้วรอสามนาที')).toMatch(/^[0-9a-f]{64}$/);
  expect(segmentKey('ชงกาแฟ', 'ช้าๆ แล้วรอสามนาที')).not.toBe(before);
});
