import { buildServe } from './bundle';

void buildServe();
