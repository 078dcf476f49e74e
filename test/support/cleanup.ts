type Closer = () => unknown;

const afterEachTest: Closer[] = [];
const afterAllTests: Closer[] = [];

/** Runs `closer` when the current test has ended. */
export function closeAfterTest(closer: Closer): void {
  afterEachTest.push(closer);
}

/** Runs `closer` when the tests of this file have ended, the last registered first. */
export function closeAfterAll(closer: Closer): void {
  afterAllTests.push(closer);
}

async function runAll(closers: Closer[]): Promise<void> {
  for (const closer of closers.splice(0).toReversed()) await closer();
}

afterEach(() => runAll(afterEachTest));
afterAll(async () => {
  await runAll(afterEachTest);
  await runAll(afterAllTests);
});
