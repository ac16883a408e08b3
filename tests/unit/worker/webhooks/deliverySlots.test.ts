import { describe, expect, test } from 'vitest';
import { createDeliverySlots } from '../../../../src/worker/webhooks/deliverySlots.ts';

const LIMITS = { ofAll: 128, ofProject: 8 };
const NOW = 1000;

describe('slots for deliveries', () => {
  const open = () => createDeliverySlots<string>(LIMITS);
  const takeAll = (slots: ReturnType<typeof open>, projectId: string): number => {
    let taken = 0;
    while (slots.take(projectId, `${projectId}-${taken}`)) taken++;
    return taken;
  };
  const waitFor = (slots: ReturnType<typeof open>, id: string, now: number): void => {
    slots.lineUp('slow', id, now);
    slots.canBeCalled('slow', id, `message ${id}`);
  };

  test('are eight for a project, and what one project takes is not missing to another', () => {
    const slots = open();
    expect(takeAll(slots, 'slow')).toBe(8);
    expect(takeAll(slots, 'quick')).toBe(8);
  });

  test('become fewer for each, so that 25 slow projects leave some for the next', () => {
    const slots = open();
    const taken = Array.from({ length: 25 }, (_, i) => takeAll(slots, `slow-${i}`));
    expect(Math.min(...taken)).toBeGreaterThan(0);
    expect(taken.reduce((sum, each) => sum + each)).toBeLessThan(LIMITS.ofAll);
  });

  test('go to those that wait, one for each that is released, the first first', () => {
    const slots = open();
    takeAll(slots, 'slow');
    for (const id of ['a', 'b', 'c']) waitFor(slots, id, NOW);
    expect(slots.release('slow', NOW)).toBe('message a');
    expect(slots.take('slow', 'a')).toBe(true);
    expect(slots.release('slow', NOW)).toBe('message b');
    expect(takeAll(slots, 'quick')).toBe(8);
    expect(slots.release('quick', NOW)).toBeUndefined();
  });

  test('go to nobody who is not in the queue yet, or has come without a call', () => {
    const slots = open();
    takeAll(slots, 'slow');
    slots.lineUp('slow', 'not yet', NOW);
    waitFor(slots, 'taken elsewhere', NOW - 10_000);
    waitFor(slots, 'is called', NOW);
    waitFor(slots, 'taken here', NOW);
    expect(slots.release('slow', NOW)).toBe('message is called');
    expect(slots.take('slow', 'taken here')).toBe(true);
    expect(slots.release('slow', NOW)).toBeUndefined();
    slots.canBeCalled('slow', 'not yet', 'message not yet');
    expect(slots.release('slow', NOW)).toBe('message not yet');
  });

  test('have a line in which five come without a call each second, whatever its length', () => {
    const slots = open();
    const dues = Array.from({ length: 1000 }, (_, i) => slots.lineUp(`slow-${i % 3}`, String(i), 0));
    const inSecond = (second: number): number =>
      dues.filter((due) => Math.ceil(due / 1000) === second).length;
    expect([1, 2, 100, 200].map(inSecond)).toEqual([5, 5, 5, 5]);
    // One that comes and finds no slot has the whole line to wait for, and is not counted twice.
    expect(slots.lineUp('slow-0', '0', NOW)).toBe(NOW + 200_000);
  });
});
