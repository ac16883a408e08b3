/**
 * Lets one caller go on in each turn of the event loop. What the first one does until it waits, and what comes of that, is
 * done before the next one begins, where else they would go step by step side by side.
 */
export function oneEachTurn(): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => {
    const mine = last;
    last = last.then(() => new Promise((resolve) => setImmediate(resolve)));
    return mine;
  };
}
