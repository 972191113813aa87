--
-- PostgreSQL database dump
--

\restrict g81sowBP6B9nYgSTjjnnzuHQNSR9Lw2pQTuPteRN4gimVBjDPCb2kHRgSEw2EDo

-- Dumped from database version 17.11 (Debian 17.11-0+deb13u1)
-- Dumped by pg_dump version 17.11 (Debian 17.11-0+deb13u1)

-- Started on 2026-11-21 06:58:48 UTC

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
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
-- TOC entry 217 (class 1259 OID 16385)
-- Name: a; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.a (
    id integer NOT NULL,
    v text
);


ALTER TABLE public.a OWNER TO postgres;

--
-- TOC entry 218 (class 1259 OID 16392)
-- Name: b; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.b (
    note text
);


ALTER TABLE public.b OWNER TO postgres;

--
-- TOC entry 219 (class 1259 OID 16397)
-- Name: c; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.c
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER SEQUENCE public.c OWNER TO postgres;

--
-- TOC entry 3443 (class 0 OID 16385)
-- Dependencies: 217
-- Data for Name: a; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.a VALUES (1, 'row 1');
INSERT INTO public.a VALUES (2, 'row 2');
INSERT INTO public.a VALUES (3, 'row 3');
INSERT INTO public.a VALUES (4, 'row 4');
INSERT INTO public.a VALUES (5, 'row 5');
INSERT INTO public.a VALUES (6, 'row 6');
INSERT INTO public.a VALUES (7, 'row 7');
INSERT INTO public.a VALUES (8, 'row 8');
INSERT INTO public.a VALUES (9, 'row 9');
INSERT INTO public.a VALUES (10, 'row 10');
INSERT INTO public.a VALUES (11, 'row 11');
INSERT INTO public.a VALUES (12, 'row 12');
INSERT INTO public.a VALUES (13, 'row 13');
INSERT INTO public.a VALUES (14, 'row 14');
INSERT INTO public.a VALUES (15, 'row 15');
INSERT INTO public.a VALUES (16, 'row 16');
INSERT INTO public.a VALUES (17, 'row 17');
INSERT INTO public.a VALUES (18, 'row 18');
INSERT INTO public.a VALUES (19, 'row 19');
INSERT INTO public.a VALUES (20, 'row 20');
INSERT INTO public.a VALUES (21, 'row 21');
INSERT INTO public.a VALUES (22, 'row 22');
INSERT INTO public.a VALUES (23, 'row 23');
INSERT INTO public.a VALUES (24, 'row 24');
INSERT INTO public.a VALUES (25, 'row 25');
INSERT INTO public.a VALUES (26, 'row 26');
INSERT INTO public.a VALUES (27, 'row 27');
INSERT INTO public.a VALUES (28, 'row 28');
INSERT INTO public.a VALUES (29, 'row 29');
INSERT INTO public.a VALUES (30, 'row 30');


--
-- TOC entry 3444 (class 0 OID 16392)
-- Dependencies: 218
-- Data for Name: b; Type: TABLE DATA; Schema: public; Owner: postgres
--



--
-- TOC entry 3453 (class 0 OID 0)
-- Dependencies: 219
-- Name: c; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.c', 1, false);


--
-- TOC entry 3446 (class 2613 OID 777)
-- Name: 777; Type: BLOB METADATA; Schema: -; Owner: postgres
--

SELECT pg_catalog.lo_create('777');

ALTER LARGE OBJECT 777 OWNER TO postgres;

--
-- TOC entry 3447 (class 0 OID 0)
-- Dependencies: 3446 3448
-- Data for Name: 777; Type: BLOBS; Schema: -; Owner: postgres
--

BEGIN;

SELECT pg_catalog.lo_open('777', 131072);
SELECT pg_catalog.lowrite(0, '\x736576656e');
SELECT pg_catalog.lo_close(0);

COMMIT;

--
-- TOC entry 3297 (class 2606 OID 16391)
-- Name: a a_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.a
    ADD CONSTRAINT a_pkey PRIMARY KEY (id);


-- Completed on 2026-11-21 06:58:48 UTC

--
-- PostgreSQL database dump complete
--

\unrestrict g81sowBP6B9nYgSTjjnnzuHQNSR9Lw2pQTuPteRN4gimVBjDPCb2kHRgSEw2EDo

