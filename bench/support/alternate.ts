/** Runs both sides in turn, `rounds` times, each round in the other order than the one before: what drifts hits both alike. */
export async function alternate<Side extends string, Result>(
  sides: readonly [Side, Side],
  rounds: number,
  run: (side: Side) => Promise<Result>,
): Promise<Record<Side, Result>[]> {
  const results: Record<Side, Result>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? sides : sides.toReversed();
    const result: Partial<Record<Side, Result>> = {};
    for (const side of order) result[side] = await run(side);
    results.push(result as Record<Side, Result>);
  }
  return results;
}
