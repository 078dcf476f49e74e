import { Logger, Module } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { IsOptional, IsString } from 'class-validator';
import { jest } from '@jest/globals';
import { of } from 'rxjs';
import { AppError } from '../../../src/contract/errors.js';
import { surviveStrayErrors } from '../../../src/process-lifecycle.js';
import { RealtimeGateway } from '../../../src/realtime/realtime-gateway.decorator.js';
import { startApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { user } from '../../support/token.js';

/** Released by the test that waits for the deadline. */
const lateAnswers = (() => {
  let release = (): void => {};
  const promise = new Promise<void>((resolve) => (release = resolve));
  return { promise, release: () => release() };
})();

/** An object in an object in an object, … */
function nested(depth: number): object {
  let value: object = {};
  for (let i = 0; i < depth; i += 1) value = { a: value };
  return value;
}

class NoteDto {
  @IsOptional()
  @IsString()
  note?: string;
}

/** One event for each way in which a handler can go wrong. */
@RealtimeGateway()
class TrapGateway {
  @SubscribeMessage('trap:null')
  returnNull(): null {
    return null;
  }

  @SubscribeMessage('trap:undefined')
  returnNothing(): void {}

  @SubscribeMessage('trap:event_key')
  returnEventKey(): object {
    return { event: 'hijacked', data: 'x' };
  }

  @SubscribeMessage('trap:throw')
  throwError(): never {
    throw new Error('secret detail: mongodb://user:password@host');
  }

  @SubscribeMessage('trap:throw_text')
  throwText(): never {
    // eslint-disable-next-line typescript/only-throw-error -- libraries do this
    throw 'a bare text';
  }

  @SubscribeMessage('trap:reject')
  async reject(): Promise<never> {
    await Promise.resolve();
    throw new TypeError('secret detail');
  }

  @SubscribeMessage('trap:app_error')
  refuse(): never {
    throw new AppError('CONFLICT', 'Somebody was faster.', { state: 'ended' });
  }

  @SubscribeMessage('trap:never')
  never(): Promise<never> {
    return new Promise(() => undefined);
  }

  @SubscribeMessage('trap:note')
  note(@MessageBody() dto: NoteDto): object {
    return { note: dto.note ?? null, keys: Object.keys(dto) };
  }

  @SubscribeMessage('trap:bigint')
  bigint(): object {
    return { value: 1n };
  }

  @SubscribeMessage('trap:circular')
  circular(): object {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    return circle;
  }

  /** Ends after its deadline. */
  @SubscribeMessage('trap:late')
  async late(): Promise<object> {
    await lateAnswers.promise;
    return { late: true };
  }

  @SubscribeMessage('trap:observable')
  observable(): object {
    return of({ a: 1 });
  }
}

/** Not one of ours: what happens when somebody adds Nest's plain decorator and a hook that throws. */
@WebSocketGateway()
class ThrowingGateway {
  handleConnection(): void {
    throw new Error('connection listener');
  }
}

@Module({ providers: [TrapGateway, ThrowingGateway] })
class TrapModule {}

describe('plumbing', () => {
  let url: string;
  let client: TestClient;
  const strayErrors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);

  beforeAll(async () => {
    surviveStrayErrors();
    ({ url } = await startApp({}, [TrapModule]));
  });
  beforeEach(async () => {
    client = await connectAs(url, user('u1'));
  });

  it('acks a null or missing result with an object', async () => {
    expect(await client.send('trap:null', {})).toEqual({ ok: true, data: {} });
    expect(await client.send('trap:undefined', {})).toEqual({ ok: true, data: {} });
  });

  it('acks a result with an `event` key instead of emitting it', async () => {
    expect(await client.send('trap:event_key', {})).toEqual({
      ok: true,
      data: { event: 'hijacked', data: 'x' },
    });
    expect(client.received.map(({ event }) => event)).not.toContain('hijacked');
  });

  it.each(['trap:throw', 'trap:throw_text', 'trap:reject', 'trap:observable'])(
    '%s: an error becomes INTERNAL and tells nothing',
    async (event) => {
      const internal = { code: 'INTERNAL', message: 'Something went wrong on the server.', retryable: false };
      expect(await client.send(event, { payload: 'echo-me-not' })).toEqual({ ok: false, error: internal });

      client.tell(event, { payload: 'echo-me-not' });
      expect(await client.waitFor('error')).toEqual({ event, ...internal });
      expect(JSON.stringify(client.received)).not.toMatch(/secret|echo-me-not|mongodb|at .*\.ts/);
    },
  );

  it.each(['trap:bigint', 'trap:circular'])(
    '%s: a result that cannot be sent is answered all the same',
    async (event) => {
      expect(await client.send(event, {})).toMatchObject({ ok: false, error: { code: 'INTERNAL' } });
    },
  );

  it('passes on a refusal of our own with its details', async () => {
    const error = {
      code: 'CONFLICT',
      message: 'Somebody was faster.',
      retryable: false,
      details: { state: 'ended' },
    };
    expect(await client.send('trap:app_error')).toEqual({ ok: false, error });
  });

  it('emits `error` only when there is no ack, and only to that socket', async () => {
    const other = await connectAs(url, user('u1'));
    await client.send('trap:throw', {});
    client.tell('trap:app_error', {});
    await client.waitFor('error');
    await other.send('trap:null');
    expect(client.all('error')).toHaveLength(1);
    expect(other.all('error')).toHaveLength(0);
  });

  it('answers an event that nobody handles', async () => {
    expect(await client.send('no:such_event', { a: 1 })).toMatchObject({
      ok: false,
      error: { code: 'UNKNOWN_EVENT' },
    });
    for (const name of ['error', 'constructor', '__proto__', 'toString', '']) {
      expect(await client.send(name)).toMatchObject({ ok: false, error: { code: 'UNKNOWN_EVENT' } });
    }
    client.tell('no:such_event');
    expect(await client.waitFor('error')).toMatchObject({ event: 'no:such_event', code: 'UNKNOWN_EVENT' });
  });

  it('does not give back a long event name', async () => {
    client.tell('x'.repeat(10_000));
    expect((await client.waitFor('error')).event.length).toBeLessThanOrEqual(100);
  });

  it('answers within five seconds when a handler never ends, with and without an ack', async () => {
    const start = Date.now();
    const acked = client.send('trap:never', {});
    client.tell('trap:never', {});
    expect(await acked).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE', retryable: true } });
    expect(await client.waitFor('error')).toMatchObject({
      event: 'trap:never',
      code: 'UNAVAILABLE',
      retryable: true,
    });
    expect(Date.now() - start).toBeLessThan(5000);
  });

  it('drops the answer of a handler that ends after its deadline', async () => {
    client.tell('trap:late', {});
    expect(await client.waitFor('error')).toMatchObject({ event: 'trap:late', code: 'UNAVAILABLE' });
    lateAnswers.release();
    await client.send('trap:null');
    expect(client.all('error')).toHaveLength(1);
  });

  it('drops unknown fields in silence', async () => {
    const payload = { note: 'n', userId: 'somebody-else', userType: 'admin', $where: '1', constructor: 1 };
    expect(await client.ask('trap:note', payload)).toEqual({ note: 'n', keys: ['note'] });
    expect(await client.ask('trap:note', { note: 'n', junk: nested(2500) })).toEqual({
      note: 'n',
      keys: ['note'],
    });
    expect(await client.ask('trap:note', JSON.parse('{"__proto__": {"note": "polluted"}}'))).toEqual({
      note: null,
      keys: [],
    });
  });

  it.each([
    { constructor: 1 },
    { constructor: { prototype: {} } },
    [[{ constructor: {} }]],
    [{ constructor: null }],
  ])('refuses %j, which pretends to be of a class', async (note) => {
    expect(await client.send('trap:note', { note })).toMatchObject({
      ok: false,
      error: { code: 'BAD_REQUEST' },
    });
  });

  it('takes a missing payload for an empty one', async () => {
    expect(await client.ask('trap:note')).toMatchObject({ note: null });
  });

  it.each([[null], [1], ['text'], [true], [[]], [[{ note: 'n' }]], [Buffer.from('x')]])(
    'refuses %p as a payload',
    async (payload) => {
      expect(await client.send('trap:note', payload)).toEqual({
        ok: false,
        error: {
          code: 'BAD_REQUEST',
          message: expect.any(String),
          retryable: false,
          details: [{ field: '', message: 'the payload must be one plain object' }],
        },
      });
    },
  );

  it('names the faulty field', async () => {
    const ack = await client.send('trap:note', { note: { $ne: null } });
    expect(ack).toMatchObject({
      ok: false,
      error: { code: 'BAD_REQUEST', details: [{ field: 'note', message: 'note must be a string' }] },
    });
  });

  it('a failure with an ack is not emitted as well', async () => {
    await client.send('trap:throw', {});
    await client.send('no:such_event', {});
    await client.send('trap:null');
    expect(client.all('error')).toHaveLength(0);
  });

  it('a throwing connection listener does not end the process, and the socket works', async () => {
    expect(strayErrors).toHaveBeenCalledWith(
      expect.stringContaining('subscriber'),
      expect.stringContaining('connection listener'),
    );
    expect(await client.send('trap:null')).toMatchObject({ ok: true });
  });

  it('a frame over the limit closes that socket alone', async () => {
    const other = await connectAs(url, user('u2'));
    const closed = new Promise((resolve) => client.socket.once('disconnect', resolve));
    client.tell('trap:note', { note: 'x'.repeat(70_000) });
    await closed;
    expect(await other.send('trap:null')).toMatchObject({ ok: true });
  });

  it('refuses gateways with connection hooks', () => {
    const define = () => {
      class Hooked {
        handleConnection(): void {}
      }
      RealtimeGateway()(Hooked);
    };
    expect(define).toThrow(/handleConnection/);
  });
});
