// `npm run admin:create -- --username NAME [--email ADDRESS] [--password PASSWORD]`: creates an administrator.
import { createAdministrator } from './create-administrator';

void createAdministrator('npm run admin:create --', process.argv.slice(2));
