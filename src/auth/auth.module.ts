import { Module } from '@nestjs/common';
import { AuthenticationService } from './authentication.service.js';
import { ProfileRepository } from './profile.repository.js';
import { ProfileService } from './profile.service.js';
import { TokenVerifier } from './token-verifier.js';

@Module({
  providers: [AuthenticationService, TokenVerifier, ProfileService, ProfileRepository],
  exports: [AuthenticationService],
})
export class AuthModule {}
