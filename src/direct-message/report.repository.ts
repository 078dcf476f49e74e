import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model, mongo } from 'mongoose';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { Report } from './report.schema.js';

/** The collection `dmreports`. Each method is one round trip. */
@Injectable()
export class ReportRepository implements OnModuleInit {
  private readonly collection: mongo.Collection<Report>;

  constructor(@InjectModel(Report.name) private readonly model: Model<Report>) {
    this.collection = model.collection as unknown as mongo.Collection<Report>;
  }

  /** A person's report of a message is unique by its index alone. */
  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /** False when the reporter has reported the message before: nothing is stored then. */
  async insertFirst(report: Report): Promise<boolean> {
    try {
      await this.collection.insertOne(report);
      return true;
    } catch (error) {
      if (!isDuplicateKey(error, 'messageId')) throw error;
      return false;
    }
  }

  /** The report that stands in the way of another one by the same reporter. */
  async findSame({ messageId, reporterType, reporterId }: Report): Promise<Report | null> {
    return this.collection.findOne({ messageId, reporterType, reporterId });
  }
}
