// What the walks through the two generations of the client have in common.

/** Where the server is, and the models that its agents use. */
export const baseUrl = process.env.MNEME_BASE_URL!;
export const model = process.env.MNEME_MODEL!;
export const embedding = process.env.MNEME_EMBEDDING!;

/** The source of a tool. */
export const ROLL = `def roll(sides: int) -> str:
    """Rolls a die.

    Args:
        sides (int): How many sides it has.
    """
    return f"a {sides} was rolled"
`;

/** Stops at the first surprise. */
export function expect(condition: unknown, complaint: string): asserts condition {
  if (!condition) {
    console.error(`not as expected: ${complaint}`);
    process.exit(1);
  }
}

/** The items of a list or a stream, which have to end. */
export async function collected(items: AsyncIterable<any>): Promise<any[]> {
  const all = [];
  for await (const item of items) {
    all.push(item);
    expect(all.length <= 300, "a list or a stream does not end");
  }
  return all;
}
