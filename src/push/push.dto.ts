import { IsIn, IsString, Matches } from 'class-validator';
import { PUSH_PLATFORMS, type PushPlatform } from '../contract/push.js';

/** Tokens of today have fewer than 300 characters, but are promised nowhere to stay so short. */
const TOKEN_PATTERN = /^[^\s\p{C}\p{Z}]{1,4096}$/u;

/** `push:unregister`. */
export class UnregisterDeviceDto {
  @IsString()
  @Matches(TOKEN_PATTERN, { message: 'token must be 1 to 4096 printable characters without spaces' })
  token!: string;
}

/** `push:register`. */
export class RegisterDeviceDto extends UnregisterDeviceDto {
  @IsIn(PUSH_PLATFORMS)
  platform!: PushPlatform;
}
