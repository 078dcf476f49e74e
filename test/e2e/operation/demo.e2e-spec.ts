import { startServer, temporaryFolder } from '../../support/processes.js';
import { runProgram } from '../../support/programs.js';
import { TEST_SECRET } from '../../support/token.js';

describe('npm run demo', () => {
  it('starts a server of its own when none runs, and shows that everything arrived', async () => {
    const { code, stdout, stderr } = await runProgram(['build/demo/main.js'], {
      PORT: '1',
      TMPDIR: await temporaryFolder(),
    });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Started a server of its own');
    expect(stdout).toContain('Everything arrived.');
    for (const line of [
      /Ravi +✓ dm:conversations +conversations=\[.*3 messages, 2 unread/,
      /Asha +← dm:messages_delivered/,
      /Asha +✗ dm:send_message +code="FORBIDDEN"/,
      /Admin +← dm:report_created/,
      /Admin +← astrologer:status_changed/,
      /Ravi +✓ push:register/,
      /Ravi +← call:incoming +.*callerName="Asha"/,
      /Asha +← call:accept/,
      /Ravi +← call:connected/,
      /Asha +← call:end +.*duration=[1-9]\d* reason="ended"/,
      /Ravi +← dm:message_received +.*callStatus="completed"/,
      /Ravi +← call:end +.*reason="missed"/,
      /Ravi +← dm:message_received +.*content="Video call missed"/,
      /Asha +← live:stream_started +.*title="The new moon"/,
      /Ravi +← live:viewer_count +count=2/,
      /Ravi +← live:comment +.*message="Namaste, Guru-ji!"/,
      /Asha +← live:gift +.*giftType="rose" giftValue=50/,
      /Ravi +← live:like_count +count=2/,
      /Meena +← live:kicked/,
      /Ravi +✓ live:end +.*likeCount=2 giftCount=1 giftValue=50/,
      /Asha +← live:end/,
      /Meena +← live:stream_ended/,
      /Asha +← chat:message +.*"?Shall we begin\?/,
      /Bela +← chat:removed/,
      /Bela +✗ chat:history +code="NOT_FOUND"/,
    ])
      expect(stdout).toMatch(line);
  });

  it('talks to a server that runs', async () => {
    const server = await startServer(await temporaryFolder());
    const { code, stdout } = await runProgram(['build/demo/main.js', '--url', server.address], {
      JWT_SECRET: TEST_SECRET,
    });
    expect(code).toBe(0);
    expect(stdout).toContain(`Talking to the server at ${server.address}`);
    // Nobody waits for the minute that a call rings there.
    expect(stdout).toMatch(/Ravi +← call:end +.*reason="cancelled"/);
    await server.stop();
  });

  it('fails when it cannot get through', async () => {
    const server = await startServer(await temporaryFolder());
    const { code, stderr } = await runProgram(['build/demo/main.js', '--url', server.address], {
      JWT_SECRET: 'not-the-key-of-that-server-0123456789',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('The demo failed');
    await server.stop();
  });
});
