/** Asks again until the answer is not undefined; fails after `seconds`. */
export async function eventually<Value>(
  ask: () => Promise<Value | undefined>,
  what: string,
  seconds = 30,
): Promise<Value> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    const value = await ask();
    if (value !== undefined) return value;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error(`${what} did not happen within ${seconds} s`);
}
