import { describe, expect, it } from 'vitest';
import { changeAll, record, redo, startHistory, undo } from '../../../studio/src/storyboard/history.ts';

describe('the history of a storyboard', () => {
  it('goes back and forth', () => {
    const two = record(record(startHistory('a'), 'b', undefined, 0), 'c', undefined, 0);
    expect(undo(two).present).toBe('b');
    expect(undo(undo(two)).present).toBe('a');
    expect(redo(undo(two)).present).toBe('c');
    expect(undo(undo(undo(two))).present).toBe('a');
    expect(redo(two).present).toBe('c');
  });

  it('takes back typing in a field in one go, until it pauses or another field is typed in', () => {
    const typed = record(record(startHistory(''), 'h', 'title', 0), 'hi', 'title', 500);
    expect(undo(typed).present).toBe('');
    expect(undo(record(typed, 'hi!', 'title', 2000)).present).toBe('hi');
    expect(undo(record(typed, 'hi, words', 'text', 600)).present).toBe('hi');
  });

  it('forgets what was undone when something else is done', () => {
    const other = record(undo(record(startHistory('a'), 'b', undefined, 0)), 'c', undefined, 0);
    expect(redo(other).present).toBe('c');
    expect(undo(other).present).toBe('a');
  });

  it('does not join what follows an undo with what was before', () => {
    const typed = record(startHistory(''), 'a', 'title', 0);
    const again = record(undo(typed), 'b', 'title', 100);
    expect(undo(again).present).toBe('');
  });

  it('is put right in all that was and may come back, with nothing more to undo', () => {
    const three = record(record(startHistory('a'), 'ab', 'title', 0), 'abc', undefined, 0);
    const right = changeAll(undo(three), (text) => text.replace('a', 'A'));
    expect(undo(right).present).toBe('A');
    expect(redo(right).present).toBe('Abc');
    expect(undo(undo(right))).toEqual(undo(right));
  });

  it('remembers the last 200 changes', () => {
    let history = startHistory(0);
    for (let i = 1; i <= 300; i++) history = record(history, i, undefined, 0);
    expect(history.past.length).toBe(200);
  });
});
