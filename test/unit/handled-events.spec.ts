import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { ConversationDto } from '../../src/messaging/conversation.dto.js';
import { eventsOf } from '../support/handled-events.js';

class Parent {
  @SubscribeMessage('of:parent')
  inherited(@MessageBody() { conversationId }: ConversationDto): string {
    return conversationId;
  }
}

class Child extends Parent {
  @SubscribeMessage('of:child')
  own(): void {}
}

it('the events of a gateway are its own and those that it inherits', () => {
  expect(eventsOf(Child.prototype)).toEqual([
    { name: 'of:parent', fields: ['conversationId'] },
    { name: 'of:child', fields: [] },
  ]);
});
