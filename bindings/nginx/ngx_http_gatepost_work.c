/*
 * Slow work (hashing, reads of the state) on other threads, its end on the event loop: in a pool of the library's own,
 * whose descriptor the loop watches, or in one of nginx's thread pools.
 *
 * The library's pool is the default: its threads give way to nginx's own where processors are short, which threads of
 * nginx's pools cannot. In those no more jobs run at once than gatepost_pool says, so that hashing does not take them all.
 */

#include "ngx_http_gatepost.h"

struct ngx_http_gatepost_work_s {
    gatepost_job               *job;
    ngx_http_gatepost_done_pt   done;
    void                       *data;
    ngx_queue_t                 queue; /* among those that wait for a thread of nginx's */
    unsigned                    housekeeping:1;
    unsigned                    cancelled:1;
    unsigned                    waiting:1;
#if (NGX_THREADS)
    ngx_thread_task_t           task;
#endif
};

/* Of this process; touched by its event loop alone. */
static gatepost_pool     *ngx_http_gatepost_own_pool;
static ngx_connection_t  *ngx_http_gatepost_own_connection;
static ngx_uint_t         ngx_http_gatepost_exiting;

/* The work is over: tells whoever asked for it, unless nobody wants to know any more. */
static void
ngx_http_gatepost_work_done(ngx_http_gatepost_work_t *work, gatepost_status status, gatepost_decision *decision)
{
    ngx_uint_t  unwanted = work->cancelled || ngx_http_gatepost_exiting;

    if (unwanted) {
        gatepost_decision_free(decision);
    } else {
        work->done(work->data, status, decision);
    }
    ngx_free(work);
}

static void
ngx_http_gatepost_own_done(void *data, gatepost_status status, gatepost_decision *decision)
{
    ngx_http_gatepost_work_done(data, status, decision);
}

static void
ngx_http_gatepost_own_handler(ngx_event_t *ev)
{
    if (ngx_http_gatepost_own_pool != NULL) {
        (void) gatepost_pool_dispatch(ngx_http_gatepost_own_pool);
    }
}

static ngx_int_t
ngx_http_gatepost_own_init(ngx_cycle_t *cycle, ngx_http_gatepost_main_conf_t *mcf)
{
    gatepost_error  *error = NULL;
    ngx_event_t     *rev;

    if (ngx_http_gatepost_own_pool != NULL) {
        return NGX_OK;
    }

    if (gatepost_pool_new(mcf->threads, mcf->queue, &ngx_http_gatepost_own_pool, &error) != GATEPOST_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "gatepost: no threads for passwords, all are refused");
        ngx_http_gatepost_log_lines(NGX_LOG_EMERG, cycle->log, "", gatepost_error_message(error));
        gatepost_error_free(error);
        return NGX_ERROR;
    }

    ngx_http_gatepost_own_connection = ngx_get_connection(gatepost_pool_fd(ngx_http_gatepost_own_pool), cycle->log);
    if (ngx_http_gatepost_own_connection == NULL) {
        return NGX_ERROR;
    }
    rev = ngx_http_gatepost_own_connection->read;
    rev->handler = ngx_http_gatepost_own_handler;
    rev->log = cycle->log;
    rev->channel = 1; /* is no client's: open at the end of a worker is as it should be */
    return ngx_add_event(rev, NGX_READ_EVENT, 0);
}

#if (NGX_THREADS)

static ngx_thread_pool_t  *ngx_http_gatepost_thread_pool;
static ngx_queue_t         ngx_http_gatepost_waiting;
static ngx_uint_t          ngx_http_gatepost_waiting_count;
static ngx_uint_t          ngx_http_gatepost_running;
static ngx_uint_t          ngx_http_gatepost_most_waiting;
static ngx_uint_t          ngx_http_gatepost_most_running;

/* On a thread of nginx's. What the job came to is asked on the loop; where it was cancelled meanwhile it is gone. */
static void
ngx_http_gatepost_task_run(void *data, ngx_log_t *log)
{
    ngx_http_gatepost_work_t  *work = *(ngx_http_gatepost_work_t **) data;

    (void) gatepost_job_run(work->job);
}

static void ngx_http_gatepost_task_handler(ngx_event_t *ev);

static ngx_int_t
ngx_http_gatepost_task_post(ngx_http_gatepost_work_t *work)
{
    ngx_memzero(&work->task, sizeof(ngx_thread_task_t));
    work->task.ctx = &work->task.event.data;
    work->task.handler = ngx_http_gatepost_task_run;
    work->task.event.data = work;
    work->task.event.handler = ngx_http_gatepost_task_handler;
    work->task.event.log = ngx_cycle->log;

    if (ngx_thread_task_post(ngx_http_gatepost_thread_pool, &work->task) != NGX_OK) {
        return NGX_ERROR;
    }
    ngx_http_gatepost_running++;
    return NGX_OK;
}

/* A thread has become free: the one that waits longest goes on. */
static void
ngx_http_gatepost_task_next(void)
{
    ngx_http_gatepost_work_t  *work;
    ngx_queue_t               *q;

    while (ngx_http_gatepost_running < ngx_http_gatepost_most_running && !ngx_queue_empty(&ngx_http_gatepost_waiting)) {
        q = ngx_queue_head(&ngx_http_gatepost_waiting);
        work = ngx_queue_data(q, ngx_http_gatepost_work_t, queue);
        ngx_queue_remove(q);
        ngx_http_gatepost_waiting_count--;
        work->waiting = 0;
        if (ngx_http_gatepost_task_post(work) != NGX_OK) {
            gatepost_job_free(work->job);
            ngx_http_gatepost_work_done(work, GATEPOST_ERR_OVERLOADED, NULL);
        }
    }
}

static void
ngx_http_gatepost_task_handler(ngx_event_t *ev)
{
    ngx_http_gatepost_work_t  *work = ev->data;
    gatepost_decision         *decision = NULL;
    gatepost_job              *next = NULL;
    gatepost_status            status = GATEPOST_OK;

    ngx_http_gatepost_running--;

    if (work->cancelled) {
        /* the job went with that */
    } else if (work->housekeeping) {
        gatepost_job_free(work->job);
    } else {
        status = gatepost_job_finish(work->job, &decision, &next);
        if (status == GATEPOST_PENDING) {
            work->job = next;
            if (ngx_http_gatepost_task_post(work) == NGX_OK) {
                return;
            }
            gatepost_job_free(next);
            status = GATEPOST_ERR_OVERLOADED;
        }
    }

    ngx_http_gatepost_work_done(work, status, decision);
    ngx_http_gatepost_task_next();
}

static gatepost_status
ngx_http_gatepost_task_start(ngx_http_gatepost_work_t *work)
{
    if (ngx_http_gatepost_running < ngx_http_gatepost_most_running) {
        return ngx_http_gatepost_task_post(work) == NGX_OK ? GATEPOST_OK : GATEPOST_ERR_OVERLOADED;
    }
    if (ngx_http_gatepost_waiting_count >= ngx_http_gatepost_most_waiting) {
        return GATEPOST_ERR_OVERLOADED;
    }
    work->waiting = 1;
    ngx_http_gatepost_waiting_count++;
    ngx_queue_insert_tail(&ngx_http_gatepost_waiting, &work->queue);
    return GATEPOST_OK;
}

#endif

/* Each worker's share of the processors; two at least, since fetching keys may hold one up for seconds. */
static ngx_uint_t
ngx_http_gatepost_threads(ngx_cycle_t *cycle)
{
    ngx_core_conf_t  *ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);
    ngx_int_t         workers = ngx_max(ccf->worker_processes, 1);

    return ngx_max(2, ngx_min((ngx_ncpu + workers - 1) / workers, 256));
}

ngx_int_t
ngx_http_gatepost_work_init(ngx_cycle_t *cycle, ngx_http_gatepost_main_conf_t *mcf)
{
    if (mcf->threads == 0) {
        mcf->threads = ngx_http_gatepost_threads(cycle);
    }
#if (NGX_THREADS)
    if (mcf->thread_pool != NULL) {
        if (ngx_http_gatepost_waiting.next == NULL) {
            ngx_queue_init(&ngx_http_gatepost_waiting);
        }
        ngx_http_gatepost_thread_pool = mcf->thread_pool;
        ngx_http_gatepost_most_running = mcf->threads;
        ngx_http_gatepost_most_waiting = mcf->queue;
        return NGX_OK;
    }
    ngx_http_gatepost_thread_pool = NULL;
#endif
    return ngx_http_gatepost_own_init(cycle, mcf);
}

/* The requests are gone or go with the process: nobody is told. */
void
ngx_http_gatepost_work_exit(ngx_cycle_t *cycle)
{
    ngx_http_gatepost_exiting = 1;

    if (ngx_http_gatepost_own_connection != NULL) {
        (void) ngx_del_event(ngx_http_gatepost_own_connection->read, NGX_READ_EVENT, 0);
        ngx_http_gatepost_own_connection->fd = (ngx_socket_t) -1; /* the pool closes it */
        ngx_free_connection(ngx_http_gatepost_own_connection);
        ngx_http_gatepost_own_connection = NULL;
    }
    gatepost_pool_free(ngx_http_gatepost_own_pool);
    ngx_http_gatepost_own_pool = NULL;
}

/*
 * Takes over a job, whatever the answer is. On GATEPOST_OK `done` is called later, never from within this call, and
 * *work stands for it until then; on anything else it is not called.
 */
gatepost_status
ngx_http_gatepost_work_start(gatepost_job *job, ngx_uint_t housekeeping, ngx_http_gatepost_done_pt done, void *data,
    ngx_http_gatepost_work_t **out)
{
    ngx_http_gatepost_work_t  *work;
    gatepost_status            status;

    work = ngx_calloc(sizeof(ngx_http_gatepost_work_t), ngx_cycle->log);
    if (work == NULL) {
        gatepost_job_free(job);
        return GATEPOST_ERR_NO_MEMORY;
    }
    work->job = job;
    work->housekeeping = housekeeping;
    work->done = done;
    work->data = data;

    status = GATEPOST_ERR_OVERLOADED; /* where no pool could be made */
#if (NGX_THREADS)
    if (ngx_http_gatepost_thread_pool != NULL) {
        status = ngx_http_gatepost_task_start(work);
    } else
#endif
    if (ngx_http_gatepost_own_pool != NULL) {
        status = gatepost_pool_submit(ngx_http_gatepost_own_pool, job, ngx_http_gatepost_own_done, work);
    }

    if (status != GATEPOST_OK) {
        gatepost_job_free(job);
        ngx_free(work);
        return status;
    }
    if (out != NULL) {
        *out = work;
    }
    return GATEPOST_OK;
}

/* Nobody wants what comes of it any more: `done` is not called. A hash under way goes on to its end, for nothing. */
void
ngx_http_gatepost_work_cancel(ngx_http_gatepost_work_t *work)
{
    work->cancelled = 1;

#if (NGX_THREADS)
    if (work->waiting) {
        ngx_queue_remove(&work->queue);
        ngx_http_gatepost_waiting_count--;
        gatepost_job_free(work->job);
        ngx_free(work);
        return;
    }
#endif
    (void) gatepost_job_cancel(work->job);
}
