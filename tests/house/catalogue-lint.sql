-- What a table with a bucket must keep (docs/architecture.md). Zero rows = clean.
with bucketed as (select c.oid, c.relname, a.attnum from pg_class c join pg_namespace n on n.oid=c.relnamespace and n.nspname=:'schema'
   join pg_attribute a on a.attrelid=c.oid and a.attname='bucket' and not a.attisdropped where c.relkind in ('r','p'))
select 'unique/exclusion index without bucket' rule, b.relname, i.indexrelid::regclass::text obj from bucketed b join pg_index i on i.indrelid=b.oid and (i.indisunique or i.indisexclusion) where not (b.attnum = any(i.indkey::int2[]))
union all select 'no primary key', relname, '' from bucketed b where not exists (select 1 from pg_index i where i.indrelid=b.oid and i.indisprimary)
union all select 'FK without bucket in same position', b.relname, k.conname from pg_constraint k join bucketed b on b.oid=k.conrelid join bucketed r on r.oid=k.confrelid
   where k.contype='f' and not exists (select 1 from unnest(k.conkey,k.confkey) x(f,t) where f=b.attnum and t=r.attnum)
union all select 'FK from unbucketed to bucketed', k.conrelid::regclass::text, k.conname from pg_constraint k join bucketed r on r.oid=k.confrelid where k.contype='f' and k.conrelid not in (select oid from bucketed)
union all select 'trigger', b.relname, t.tgname from pg_trigger t join bucketed b on b.oid=t.tgrelid where not t.tgisinternal
union all select 'generated bucket / nullable bucket', b.relname, '' from bucketed b join pg_attribute a on a.attrelid=b.oid and a.attnum=b.attnum where a.attgenerated<>'' or not a.attnotnull
union all select 'identity/serial not bigint', b.relname, a.attname from bucketed b join pg_attribute a on a.attrelid=b.oid where a.attnum>0 and (a.attidentity<>'' or exists (select 1 from pg_attrdef d where d.adrelid=b.oid and d.adnum=a.attnum and pg_get_expr(d.adbin,d.adrelid) like 'nextval%')) and a.atttypid<>'int8'::regtype
order by 1,2;
