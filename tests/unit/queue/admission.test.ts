import { describe, expect, it } from 'vitest';
import { createAdmission } from '../../../src/queue/admission.ts';

describe('admission', () => {
  it('lets in as many as fit when all come at once', async () => {
    const admission = createAdmission(20, async () => 5);
    const admitted = await Promise.all(Array.from({ length: 30 }, () => admission.admit()));
    expect(admitted.filter(Boolean)).toHaveLength(15);
  });

  it('sees what another process has put into the queue since it looked last', async () => {
    let depth = 0;
    const admission = createAdmission(20, async () => depth);
    expect(await admission.admit()).toBe(true);
    admission.settle();
    depth = 20;
    expect(await admission.admit()).toBe(false);
  });

  it('counts once for all who ask while it counts', async () => {
    let counts = 0;
    const admission = createAdmission(1000, async () => ++counts);
    await Promise.all(Array.from({ length: 50 }, () => admission.admit().then(admission.settle)));
    expect(counts).toBeLessThan(3);
    expect(admission.isIdle()).toBe(true);
  });

  it('counts again for each who asks later, and lets in what has room by then', async () => {
    let depth = 2;
    const admission = createAdmission(2, async () => depth);
    expect(await admission.admit()).toBe(false);
    depth = 0;
    expect(await admission.admit()).toBe(true);
  });

  it('never lets in more than fit while it counts', async () => {
    let queued = 0;
    const admission = createAdmission(10, async () => queued);
    const send = async (): Promise<boolean> => {
      const admitted = await admission.admit();
      if (admitted) {
        await Promise.resolve();
        queued++;
        admission.settle();
      }
      return admitted;
    };
    const first = await Promise.all(Array.from({ length: 25 }, send));
    const second = await Promise.all(Array.from({ length: 25 }, send));
    expect([...first, ...second].filter(Boolean)).toHaveLength(10);
  });

  it('counts a job that is in the queue and whose sender has not heard of it once, not twice', async () => {
    let queued = 0;
    const admission = createAdmission(4, async () => queued);
    await Promise.all(Array.from({ length: 4 }, () => admission.admit()));
    // Workers took three; the fourth lies in the queue, and its sender is still on the way.
    for (let i = 0; i < 3; i++) admission.settle();
    queued = 1;
    const next = Promise.all([admission.admit(), admission.admit(), admission.admit()]);
    expect(admission.isIdle()).toBe(false);
    admission.settle();
    expect(await next).toEqual([true, true, true]);
  });

  it('fails where the queue cannot be counted, and asks again the next time', async () => {
    let away = true;
    const admission = createAdmission(2, async () => {
      if (away) throw new Error('away');
      return 0;
    });
    await expect(admission.admit()).rejects.toThrow('away');
    away = false;
    expect(await admission.admit()).toBe(true);
  });
});
