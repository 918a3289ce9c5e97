import { migrate } from './migrate-database';

void migrate();
