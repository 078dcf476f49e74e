import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Identity } from '../contract/identity.js';
import type { AuthenticatedData } from './authenticated-data.js';

/** The identity of the socket that sent the event; the guard has made sure that there is one. */
export const CurrentUser = createParamDecorator(
  (_: unknown, context: ExecutionContext): Identity =>
    context.switchToWs().getClient<{ data: AuthenticatedData }>().data.user,
);
