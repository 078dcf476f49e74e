import { applyDecorators, UseFilters, UseGuards, UsePipes } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { IdentityGuard } from '../auth/identity.guard.js';
import { ErrorFilter } from './error.filter.js';
import { PayloadPipe } from './payload.pipe.js';

/** Nest calls these unawaited and unguarded, once per gateway: a throw in one ends the process. The adapter admits sockets. */
const FORBIDDEN_HOOKS = ['handleConnection', 'handleDisconnect'];

/**
 * A gateway of the one Socket.IO server. Each `@SubscribeMessage` method gets only events of sockets with an identity and
 * with a valid payload; what it returns is the ack's `data`, what it throws becomes the error answer (contract §1).
 * @throws Error at start when the class has a connection hook
 */
export function RealtimeGateway(): ClassDecorator {
  return (target) => {
    for (const hook of FORBIDDEN_HOOKS) {
      if (hook in (target.prototype as object))
        throw new Error(`${target.name}.${hook}: connections are admitted in realtime/, not in gateways.`);
    }
    applyDecorators(
      WebSocketGateway(),
      UseGuards(IdentityGuard),
      UsePipes(PayloadPipe),
      UseFilters(ErrorFilter),
    )(target);
  };
}
