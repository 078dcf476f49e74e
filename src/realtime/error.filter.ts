import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { Reply } from './reply.js';
import { toAppError } from './to-app-error.js';

/** Answers a failed event. The dispatcher has put the Reply among the handler's arguments. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  catch(exception: unknown, host: ArgumentsHost): void {
    const event = host.switchToWs().getPattern();
    const reply = host.getArgs<unknown[]>().find((argument) => argument instanceof Reply);
    const error = toAppError(exception, reply?.describe() ?? event);
    if (reply === undefined) throw error;
    reply.fail(error);
  }
}
