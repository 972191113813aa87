create table public.users(id int primary key, email text, created_at timestamptz, nook text);
insert into users select i, 'real.person'||i||'@secretcorp.example', date_trunc('minute', now()) - i*interval '1 min', 'Zaphod-Quill-'||i from generate_series(1,200) i;
create table public.orders(id int primary key, user_id int references users(id), status text, total numeric, created_at timestamptz);
insert into orders select i, 1+i%200, 'paid', i, date_trunc('minute', now()) - i*interval '1 min' from generate_series(1,500) i;
create table public.notes(id int, status text); insert into notes select i, 'fine' from generate_series(1,200) i;
create table public.said(l text);
