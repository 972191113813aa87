--
-- PostgreSQL database cluster dump
--

\restrict uD32MuKw4e4CFjrFeHnjOhnqmTlICp4UucbjuhvZVG4Desa0z7fKuJaXokAIxrz

SET default_transaction_read_only = off;

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

--
-- Roles
--

CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS;

--
-- User Configurations
--








\unrestrict uD32MuKw4e4CFjrFeHnjOhnqmTlICp4UucbjuhvZVG4Desa0z7fKuJaXokAIxrz

--
-- Databases
--

--
-- Database "template1" dump
--

\connect template1

--
-- PostgreSQL database dump
--

\restrict 7KThdue4QD7Sucn4CIfbPBNL3L3gGwiggQZ7Aq7Mi1voLchIDnoWvPrmcC6hSaf

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- PostgreSQL database dump complete
--

\unrestrict 7KThdue4QD7Sucn4CIfbPBNL3L3gGwiggQZ7Aq7Mi1voLchIDnoWvPrmcC6hSaf

--
-- Database "postgres" dump
--

\connect postgres

--
-- PostgreSQL database dump
--

\restrict oQ2aBQaM4Y5olmKrFhGT2hWlawsG1dDKxkci5jSzkG4dXzzjVquCLOf3wG3oLeF

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- PostgreSQL database dump complete
--

\unrestrict oQ2aBQaM4Y5olmKrFhGT2hWlawsG1dDKxkci5jSzkG4dXzzjVquCLOf3wG3oLeF

--
-- Database "small" dump
--

--
-- PostgreSQL database dump
--

\restrict gIHffkMlpiobJIHG1X8mErnCogiC8rUyKcc0LlO91Fj3v9f8Un5QQne10VCrNrI

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: small; Type: DATABASE; Schema: -; Owner: postgres
--

CREATE DATABASE small WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C';


ALTER DATABASE small OWNER TO postgres;

\unrestrict gIHffkMlpiobJIHG1X8mErnCogiC8rUyKcc0LlO91Fj3v9f8Un5QQne10VCrNrI
\connect small
\restrict gIHffkMlpiobJIHG1X8mErnCogiC8rUyKcc0LlO91Fj3v9f8Un5QQne10VCrNrI

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: a; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.a (
    id integer NOT NULL,
    v text
);


ALTER TABLE public.a OWNER TO postgres;

--
-- Name: b; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.b (
    note text
);


ALTER TABLE public.b OWNER TO postgres;

--
-- Name: c; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.c
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.c OWNER TO postgres;

--
-- Name: 777; Type: BLOB; Schema: -; Owner: postgres
--

SELECT pg_catalog.lo_create('777');


ALTER LARGE OBJECT 777 OWNER TO postgres;

--
-- Data for Name: a; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.a (id, v) FROM stdin;
1	row 1
2	row 2
3	row 3
4	row 4
5	row 5
6	row 6
7	row 7
8	row 8
9	row 9
10	row 10
11	row 11
12	row 12
13	row 13
14	row 14
15	row 15
16	row 16
17	row 17
18	row 18
19	row 19
20	row 20
21	row 21
22	row 22
23	row 23
24	row 24
25	row 25
26	row 26
27	row 27
28	row 28
29	row 29
30	row 30
\.


--
-- Data for Name: b; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.b (note) FROM stdin;
\.


--
-- Name: c; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.c', 1, false);


--
-- Data for Name: BLOBS; Type: BLOBS; Schema: -; Owner: -
--

BEGIN;

SELECT pg_catalog.lo_open('777', 131072);
SELECT pg_catalog.lowrite(0, '\x736576656e');
SELECT pg_catalog.lo_close(0);

COMMIT;

--
-- Name: a a_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.a
    ADD CONSTRAINT a_pkey PRIMARY KEY (id);


--
-- PostgreSQL database dump complete
--

\unrestrict gIHffkMlpiobJIHG1X8mErnCogiC8rUyKcc0LlO91Fj3v9f8Un5QQne10VCrNrI

--
-- PostgreSQL database cluster dump complete
--

