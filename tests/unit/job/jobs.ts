import fc from 'fast-check';
import type { Asset, PreviewJob, PreviewRequest } from '../../../src/job/previewJob.types.ts';

/** The smallest valid job, with parts of its request replaced. */
export function jobWith(request: Partial<PreviewRequest> = {}): PreviewJob {
  return {
    jobId: 'intro',
    projectId: 'docs',
    requestId: 'r-1',
    dryRun: false,
    previewRequest: { steps: [], assets: [], audio: {}, ...request },
  };
}

export function imageOf(id: string, source: Partial<Asset> = { upload: 'a'.repeat(64) }): Asset {
  return { id, type: 'image', ...source };
}

const id = fc.stringMatching(/^[A-Za-z._-][A-Za-z0-9._-]{0,30}$/);
const words = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .filter((text) => !/(?![\t\n\r])\p{Cc}/u.test(text) && [...text].length <= 200);
const time = fc
  .date({ min: new Date(0), noInvalidDate: true, max: new Date('9999-12-31') })
  .map((date) => date.toISOString());

const step = fc.record(
  {
    title: words,
    text: words,
    durationSeconds: fc.double({ min: 1, max: 120, noNaN: true }),
    asset: fc.constant('photo'),
    narration: fc.constant('voice'),
    transition: fc.record(
      {
        type: fc.constantFrom('none', 'fade', 'slide', 'wipe'),
        durationSeconds: fc.double({ min: 0, max: 1, noNaN: true }),
      },
      { requiredKeys: ['type'] },
    ),
    motion: fc.constantFrom('none', 'zoomIn', 'zoomOut', 'panLeft', 'panRight'),
    alt: words,
  },
  { requiredKeys: [] },
);

const previewRequest = fc.record(
  {
    title: words,
    description: words,
    steps: fc.array(step, { maxLength: 5 }),
    assets: fc.constant<Asset[]>([
      { id: 'photo', type: 'image', upload: 'a'.repeat(64) },
      { id: 'voice', type: 'audio', url: 'https://media.example.org/voice.ogg', sha256: 'b'.repeat(64) },
    ]),
    audio: fc.record(
      {
        music: fc.record({ asset: fc.constant('voice'), loop: fc.boolean() }),
        ducking: fc.boolean(),
        loudnessLufs: fc.double({ min: -36, max: -8, noNaN: true }),
      },
      { requiredKeys: [] },
    ),
    options: fc.record(
      {
        resolution: fc
          .tuple(fc.integer({ min: 80, max: 1920 }), fc.integer({ min: 80, max: 1920 }))
          .map(([width, height]) => `${2 * width}x${2 * height}`),
        fps: fc.integer({ min: 1, max: 60 }),
        format: fc.constantFrom('mp4', 'webm'),
        outputs: fc.uniqueArray(fc.constantFrom('video', 'poster', 'storyboard', 'captions', 'chapters')),
      },
      { requiredKeys: [] },
    ),
    metadata: fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      words,
    ),
  },
  { requiredKeys: ['steps', 'assets', 'audio'] },
);

/** Jobs as senders might send them; every one of them is valid. */
export const validPayload: fc.Arbitrary<PreviewJob> = fc.record(
  {
    jobId: id,
    projectId: id,
    requestId: id,
    dryRun: fc.boolean(),
    priority: fc.constantFrom('low', 'normal', 'high'),
    attempts: fc.nat(),
    createdAt: time,
    updatedAt: time,
    supersedes: id,
    previewRequest,
  },
  { requiredKeys: ['jobId', 'projectId', 'requestId', 'dryRun', 'previewRequest'] },
);
