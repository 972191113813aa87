create table public.users(id int primary key, email text, created_at timestamptz, nook text);
insert into users select i, 'real.person'||i||'@secretcorp.example', date_trunc('minute', now()) - i*interval '1 min', 'Zaphod-Quill-'||i from generate_series(1,200) i;
create table public.orders(id int primary key, user_id int references users(id), status text, total numeric, created_at timestamptz);
insert into orders select i, 1+i%200, case when i%2=0 then 'broken' else 'paid' end, i, (now() - interval '60 days') - i*interval '1 min' from generate_series(1,10) i;
create table public.notes(id int, status text); insert into notes select i, 'fine' from generate_series(150,260) i;
alter table notes add constraint nn check (id < 200) not valid;
create table public.said(l text);
