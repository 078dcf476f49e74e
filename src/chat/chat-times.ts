import { Injectable } from '@nestjs/common';

/** Milliseconds. A provider, so that a test need not wait as long as people do. */
@Injectable()
export class ChatTimes {
  /** What has happened to a room and was told by nobody so long after it is told by any node. */
  noticeAgeMs = 5000;
  /** How often a node looks for that. */
  noticeLookMs = 5000;
}
