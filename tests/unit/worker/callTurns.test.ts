import { expect, it } from 'vitest';
import { oneEachTurn } from '../../../src/worker/attempt/callTurns.ts';

it('lets one go on in each turn of the event loop, in the order in which they came', async () => {
  const turn = oneEachTurn();
  const said: string[] = [];
  const caller = async (name: string): Promise<void> => {
    await turn();
    said.push(`${name} begins`);
    for (let hop = 0; hop < 10; hop++) await Promise.resolve();
    said.push(`${name} has sent`);
  };
  await Promise.all(['a', 'b', 'c'].map(caller));
  expect(said).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} has sent`]));
  // Who comes alone waits for nobody: what is due in the next turn has not happened yet.
  await new Promise((resolve) => setImmediate(resolve));
  let isNextTurn = false;
  setImmediate(() => {
    isNextTurn = true;
  });
  await turn();
  expect(isNextTurn).toBe(false);
});
