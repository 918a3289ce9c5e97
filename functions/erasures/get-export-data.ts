// GET /exports/{id}/data: all that an export has collected, as one JSON document to download.
import { containerContext } from '../../shared/context/context';
import { getExportData } from '../../shared/exports/get-export';
import { ownerOr, recently } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { ExportDocument } from '../../shared/openapi/schemas';

export const documentation = {
  summary: "Download a user's data",
  description: 'For seven days after the export is ready. Each download is in the audit log.',
  replies: {
    200: { description: 'The data', body: ExportDocument, headers: ['cache-control', 'content-disposition'] },
  },
  errors: ['export_pending'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: recently(ownerOr('erasures:write')),
  handle: async ({ ctx, id, origin, ...asker }) => {
    const document = await getExportData(ctx, asker, id, origin);
    return reply(200, document, {
      'cache-control': 'no-store',
      'content-disposition': `attachment; filename="export-${document.user.id}.json"`,
    });
  },
});
