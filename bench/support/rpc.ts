import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

interface Call {
  call: number;
  method: string;
  argument: unknown;
}

interface Answer {
  call: number;
  result?: unknown;
  error?: string;
}

type Methods = Record<string, (argument: never) => unknown>;

/**
 * In a child process: answers calls of the parent over Node's own channel, as far as they are of these methods. The channel does not keep the
 * process alive; when the parent has gone, the process ends.
 */
export function serve(methods: Methods): void {
  const answer = async ({ call, method, argument }: Call): Promise<void> => {
    const run = methods[method];
    if (run === undefined) return;
    try {
      process.send?.({ call, result: await run(argument as never) } satisfies Answer);
    } catch (error) {
      process.send?.({ call, error: String((error as Error).stack) } satisfies Answer);
    }
  };
  process.on('message', (message: Call) => void answer(message));
  process.once('disconnect', () => process.exit(1));
  process.channel?.unref();
}

/** The parent's side of `serve`. */
export class Remote {
  private calls = 0;
  private readonly waiting = new Map<number, (answer: Answer) => void>();

  constructor(
    private readonly child: ChildProcess,
    private readonly name: string,
  ) {
    child.on('message', (message: Answer) => {
      this.waiting.get(message.call)?.(message);
      this.waiting.delete(message.call);
    });
    void once(child, 'exit').then(() => {
      for (const settle of this.waiting.values()) settle({ call: 0, error: 'it ended' });
      this.waiting.clear();
    });
  }

  /** Throws what the method threw, or that the process has ended. */
  async call<Result>(method: string, argument?: unknown): Promise<Result> {
    const call = (this.calls += 1);
    const answer = await new Promise<Answer>((resolve) => {
      this.waiting.set(call, resolve);
      this.child.send({ call, method, argument } satisfies Call, (error) => {
        if (error) resolve({ call, error: error.message });
      });
    });
    if (answer.error !== undefined) throw new Error(`${this.name}, ${method}: ${answer.error}`);
    return answer.result as Result;
  }
}
