// The Node-API face of the kernels: checks and unpacks arguments, runs everything on threads of its own and hands
// results back. No arithmetic here. Arrays are f64; src/engines/cpu/addon.ts states the types.
#include <set>
#include <thread>

#include "napi_bench.h"
#include "napi_jobs.h"
#include "napi_program.h"
#include "napi_proofs.h"

using namespace manystart;
using namespace node;

namespace {

napi_value create_problem(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const napi_value o = arguments(env, info, 1)[0];
    Description d;
    d.rows = int(number(env, o, "rows"));
    d.inputs = int(number(env, o, "inputs"));
    d.outputs = int(number(env, o, "outputs"));
    const auto hidden = array<int32_t>(env, o, "hidden");
    d.hidden.assign(hidden.data, hidden.data + hidden.size);
    d.activation = Activation(int(number(env, o, "activation")));
    d.loss = Loss(int(number(env, o, "loss")));
    d.bias = boolean(env, o, "bias");
    d.firth = boolean(env, o, "firth");
    const auto constants = array<double>(env, o, "lossConstants");
    d.loss_constants.assign(constants.data, constants.data + constants.size);
    const auto penalty = array<double>(env, o, "penalty");
    d.penalty.assign(penalty.data, penalty.data + penalty.size);
    const auto x = array<double>(env, o, "x"), y = array<double>(env, o, "y");
    const auto weight = array<double>(env, o, "weight"), offset = array<double>(env, o, "offset");
    const size_t rows = d.rows;
    const size_t targets = response_of(d.loss) == Response::classes ? 1 : d.outputs;
    std::shared_ptr<const Formula> formula;
    if (const napi_value given = field(env, o, "formula"); !absent(env, given)) formula = read_formula(env, given);
    if (x.size != rows * (formula ? formula->columns : d.inputs) || y.size != rows * targets ||
        (weight.data && weight.size != rows) || (offset.data && offset.size != rows))
      throw Failure{"arrays do not fit the number of rows"};
    auto prepared = std::make_unique<Prepared>();
    prepared->target = &find_target(text(env, field(env, o, "target")));
    const double *xs = x.data, *ys = y.data, *ws = weight.data, *os = offset.data;
    auto make = [&](auto& into) {
      using Made = typename std::decay_t<decltype(into)>::element_type;
      into = formula ? std::make_unique<Made>(d, formula, xs, ys, ws, os) : std::make_unique<Made>(d, xs, ys, ws, os);
    };
    if (boolean(env, o, "f32")) make(prepared->p32);
    else make(prepared->p64);
    napi_value out;
    auto release = [](napi_env, void* data, void*) { delete static_cast<Prepared*>(data); };
    check(env, napi_create_external(env, prepared.get(), release, nullptr, &out));
    prepared.release();
    return out;
  });
}

// An array of n results: the caller's of that name in `out` where there is one, else a new one.
napi_value result_array(napi_env env, napi_value out, const char* name, size_t n, double** data) {
  if (!absent(env, out)) {
    const napi_value given = field(env, out, name);
    if (!absent(env, given)) {
      const auto span = array<double>(env, given);
      if (span.size != n) throw Failure{"an array for results has the wrong length"};
      *data = span.data;
      return given;
    }
  }
  return typed<double>(env, napi_float64_array, nullptr, n, data);
}

// evaluate(problem, theta, needG, needH, threads, out?) → Promise<{f, g?, H?}>
napi_value evaluate(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto args = arguments(env, info, 6);
    const Prepared* prepared = external<Prepared>(env, args[0]);
    const auto theta = array<double>(env, args[1]);
    const bool need_g = boolean(env, args[2]), need_h = boolean(env, args[3]);
    const size_t threads = size_t(number(env, args[4]));
    const size_t P = prepared->P(), R = theta.size / P;
    double *f, *g = nullptr, *H = nullptr;
    const napi_value result = object(env);
    set(env, result, "f", result_array(env, args[5], "f", R, &f));
    if (need_g) set(env, result, "g", result_array(env, args[5], "g", R * P, &g));
    if (need_h) set(env, result, "H", result_array(env, args[5], "H", R * P * P, &H));
    const double* t = theta.data;
    return start_shared_job(env, R, prepared->lanes(), threads,
                            [=](size_t, Parts& parts) {
                              prepared->with([&](auto& problem, auto& k) { k.evaluate(problem, t, parts, f, g, H); });
                            },
                            result, {args[0], args[1]});
  });
}

// outputs(problem, theta, threads) → Promise<Float64Array>, z [R, N, C]
napi_value outputs(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto args = arguments(env, info, 3);
    const Prepared* prepared = external<Prepared>(env, args[0]);
    const auto theta = array<double>(env, args[1]);
    const size_t threads = size_t(number(env, args[2]));
    const size_t R = theta.size / prepared->P();
    double* z;
    const napi_value result =
        typed<double>(env, napi_float64_array, nullptr, R * prepared->d().rows * prepared->d().outputs, &z);
    const double* t = theta.data;
    return start_shared_job(
        env, R, prepared->lanes(), threads,
        [=](size_t, Parts& parts) { prepared->with([&](auto& problem, auto& k) { k.outputs(problem, t, parts, z); }); },
        result, {args[0], args[1]});
  });
}

// score(problem, theta, threads, out?) → Promise<{values, classCounts}>
napi_value score(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto args = arguments(env, info, 4);
    const Prepared* prepared = external<Prepared>(env, args[0]);
    const auto theta = array<double>(env, args[1]);
    const size_t threads = size_t(number(env, args[2]));
    const Description& d = prepared->d();
    const size_t R = theta.size / prepared->P();
    const size_t M = prepared->target->k64->score_columns(d.loss);
    const size_t cells = size_t(d.rows) * (response_of(d.loss) == Response::share ? d.outputs : 1);
    const size_t n = cells * prepared->target->k64->class_count(d.loss, d.outputs);
    double *values, *counts;
    const napi_value result = object(env);
    set(env, result, "values", result_array(env, args[3], "values", R * M, &values));
    set(env, result, "classCounts", typed<double>(env, napi_float64_array, nullptr, n, &counts));
    const double* t = theta.data;
    // Whole numbers, so that their sum does not depend on who counted what.
    const auto own = std::make_shared<std::vector<std::vector<double>>>(std::max<size_t>(1, threads));
    return start_shared_job(
        env, R, prepared->lanes(), threads,
        [=](size_t thread, Parts& parts) {
          auto& mine = (*own)[thread];
          mine.assign(n, 0);
          prepared->with([&](auto& problem, auto& k) { k.score(problem, t, parts, values, mine.data()); });
        },
        result, {args[0], args[1]},
        [=] {
          std::fill(counts, counts + n, 0.0);
          for (const auto& mine : *own)
            for (size_t i = 0; i < mine.size(); i++) counts[i] += mine[i];
        });
  });
}

struct Session;
/// With the batches that run in it.
struct Running : Environment {
  std::set<Session*> sessions;
};

/// A running batch: owned by its JavaScript handle; threads are joined before it goes.
struct Session {
  Program program;
  RunOptions options;
  std::unique_ptr<Sink> sink;
  std::thread manager;
  napi_threadsafe_function ready = nullptr;
  napi_ref keep = nullptr;
  std::exception_ptr error;
  std::mutex error_mutex;
  std::set<Session*>* registry = nullptr;

  void stop() {
    sink->abort();
    if (manager.joinable()) manager.join();
  }
};

void end_session(napi_env env, void* data, void*) {
  auto* session = static_cast<Session*>(data);
  session->stop();
  session->registry->erase(session);
  napi_delete_reference(env, session->keep);
  delete session;
}

// run(problem, program, options, onReady) → handle
napi_value run(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto args = arguments(env, info, 4);
    const Prepared* prepared = external<Prepared>(env, args[0]);
    auto session = std::make_unique<Session>();
    session->program = read_program(env, args[1]);
    RunOptions& o = session->options;
    const napi_value in = args[2];
    o.count = uint64_t(number(env, in, "count"));
    o.first = uint64_t(number(env, in, "first"));
    o.seed = uint64_t(number(env, in, "seed"));
    o.normal = boolean(env, in, "normal");
    o.steps = uint64_t(number(env, in, "steps"));
    o.gradient = number(env, in, "gradient");
    o.batch = uint32_t(number(env, in, "batch"));
    o.shared_order = boolean(env, in, "sharedOrder");
    o.batch_seed = uint64_t(number(env, in, "batchSeed"));
    o.lanes = uint64_t(number(env, in, "lanes"));
    o.threads = std::max(1, int(number(env, in, "threads")));
    o.block_runs = std::max(1u, uint32_t(number(env, in, "blockRuns")));
    o.trace = boolean(env, in, "trace");
    const auto scale = array<double>(env, in, "scale"), given = array<double>(env, in, "given");
    const auto map = array<double>(env, in, "map"), map_scale = array<double>(env, in, "mapScale"),
               map_shift = array<double>(env, in, "mapShift");
    const size_t P = prepared->P();
    if (given.data ? given.size != o.count * P : scale.size != P) throw Failure{"starts do not fit the parameters"};
    o.given = given.data;
    o.scale.assign(scale.data, scale.data + scale.size);
    const size_t S = prepared->d().inputs + (prepared->d().bias ? 1 : 0), C = prepared->d().outputs;
    if (map.data && (map.size != S * S || map_scale.size != C || map_shift.size != C))
      throw Failure{"the map of the starts does not fit the parameters"};
    if (map.data)
      o.map = {{map.data, map.data + map.size},
               {map_scale.data, map_scale.data + C},
               {map_shift.data, map_shift.data + C}};

    const auto slots = array<int32_t>(env, in, "inputSlots");
    const auto values = array<double>(env, in, "inputValues"), ridge = array<double>(env, in, "ownRidge");
    const auto free = array<double>(env, in, "ownFree");
    size_t at = 0;
    for (size_t i = 0; i < slots.size; i++) {
      o.inputs.emplace_back(slots.data[i], values.data + at);
      at += o.count * (slots.data[i] < 0 ? 1 : P);
    }
    if (at != values.size || (ridge.data && ridge.size != o.count * P) || (free.data && free.size != o.count * P))
      throw Failure{"the inputs do not fit the runs"};
    const auto draw_start = array<double>(env, in, "drawStart"), draw_order = array<double>(env, in, "drawOrder"),
               draw_rows = array<double>(env, in, "drawRows");
    for (const auto& draw : {draw_start, draw_order, draw_rows})
      if (draw.data && draw.size != o.count) throw Failure{"the numbers that runs draw by do not fit the runs"};
    o.draw_start = draw_start.data, o.draw_order = draw_order.data, o.draw_rows = draw_rows.data;
    if (draw_rows.data) {
      if (prepared->d().firth) throw Failure{"Firth's penalty takes no rows of a run's own"};
      o.resampling.kind = manystart::Resampling::Kind(int(number(env, in, "resamplingKind")));
      o.resampling.size = uint32_t(number(env, in, "resamplingSize"));
      o.resampling.seed = uint64_t(number(env, in, "resamplingSeed"));
    }
    o.own_ridge = ridge.data;
    o.own_free = free.data;

    napi_value name, keep;
    check(env, napi_create_string_utf8(env, "manystart", NAPI_AUTO_LENGTH, &name));
    check(env, napi_create_threadsafe_function(env, args[3], nullptr, name, 0, 1, nullptr, nullptr, nullptr, nullptr,
                                               &session->ready));
    check(env, napi_create_array_with_length(env, 2, &keep));
    check(env, napi_set_element(env, keep, 0, args[0]));
    check(env, napi_set_element(env, keep, 1, in));
    check(env, napi_create_reference(env, keep, 1, &session->keep));
    session->registry = &static_cast<Running*>(environment(env))->sessions;

    Session* s = session.get();
    s->sink =
        std::make_unique<Sink>(o, [s] { napi_call_threadsafe_function(s->ready, nullptr, napi_tsfn_nonblocking); });
    napi_value handle;
    check(env, napi_create_external(env, s, end_session, nullptr, &handle));
    session.release();
    s->registry->insert(s);
    const auto manage = [s, prepared] {
      prepared->with([&](auto& problem, auto& k) {
        // A group per thread unless more lanes were asked for: fewer groups mean better filled ones at the end.
        const uint64_t lanes = s->options.lanes ? s->options.lanes : uint64_t(k.lanes) * s->options.threads;
        const uint64_t threads = std::min<uint64_t>(s->options.threads, lanes);
        auto work = [&](uint64_t t) {
          try {
            k.run(problem, s->program, s->options, *s->sink, lanes / threads + (t < lanes % threads));
          } catch (const std::exception&) {
            std::lock_guard lock(s->error_mutex);
            s->error = std::current_exception();
            s->sink->abort();
          }
        };
        Pool pool;
        // Where the system gives fewer threads, those that there are take all starts.
        for (uint64_t t = 1; t < threads && pool.begin(work, t); t++) {}
        work(0);
      });
      s->sink->finish();
      napi_release_threadsafe_function(s->ready, napi_tsfn_release);
    };
    try {
      s->manager = std::thread(manage);
    } catch (const std::system_error&) {
      napi_release_threadsafe_function(s->ready, napi_tsfn_release);
      throw;
    }
    return handle;
  });
}

// state(handle) → {waiting, end, busy, all}
napi_value state(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    Session* s = external<Session>(env, arguments(env, info, 1)[0]);
    bool end = false;
    const uint32_t waiting = s->sink->waiting(end);
    {
      std::lock_guard lock(s->error_mutex);
      if (s->error) std::rethrow_exception(s->error);
    }
    const napi_value out = object(env);
    napi_value flag;
    check(env, napi_get_boolean(env, end, &flag));
    set(env, out, "waiting", make_number(env, waiting));
    set(env, out, "end", flag);
    set(env, out, "busy", make_number(env, double(s->sink->busy())));
    set(env, out, "all", make_number(env, double(s->sink->all())));
    return out;
  });
}

// take(handle, into) → the block that waits; its columns lie in the arrays of `into` where they are given.
napi_value take(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto args = arguments(env, info, 2);
    Session* s = external<Session>(env, args[0]);
    const auto block = s->sink->take();
    if (!block) throw Failure{"no block waits"};
    const napi_value b = object(env);
    set(env, b, "count", make_number(env, block->count));
    const auto column = [&](const char* name, const auto& values, napi_typedarray_type type) {
      using T = typename std::decay_t<decltype(values)>::value_type;
      const napi_value given = absent(env, args[1]) ? nullptr : field(env, args[1], name);
      if (given) {
        const auto span = array<T>(env, given);
        if (span.size != values.size()) throw Failure{"an array for results has the wrong length"};
        std::copy(values.begin(), values.end(), span.data);
      }
      set(env, b, name, given ? given : typed(env, type, values.data(), values.size()));
    };
    column("start", block->start, napi_float64_array);
    column("theta", block->theta, napi_float64_array);
    column("loss", block->loss, napi_float64_array);
    column("gradientNorm", block->gradient_norm, napi_float64_array);
    column("report", block->report, napi_float64_array);
    column("steps", block->steps, napi_uint32_array);
    column("status", block->status, napi_uint8_array);
    if (s->options.trace) {
      napi_value list;
      check(env, napi_create_array_with_length(env, block->traces.size(), &list));
      for (size_t i = 0; i < block->traces.size(); i++)
        check(env, napi_set_element(env, list, uint32_t(i), doubles(env, block->traces[i])));
      set(env, b, "traces", list);
    }
    return b;
  });
}

// abort(handle): the threads end after their current step.
napi_value abort_run(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    external<Session>(env, arguments(env, info, 1)[0])->sink->abort();
    return nullptr;
  });
}

// targets() → [{id, name, usable, lanes64, lanes32}], best first
napi_value list_targets(napi_env env, napi_callback_info) {
  return guarded(env, [&] {
    napi_value list;
    check(env, napi_create_array(env, &list));
    uint32_t i = 0;
    for (const Target& t : targets()) {
      const napi_value o = object(env);
      napi_value id, name, usable;
      check(env, napi_create_string_utf8(env, t.id, NAPI_AUTO_LENGTH, &id));
      check(env, napi_create_string_utf8(env, t.k64->name, NAPI_AUTO_LENGTH, &name));
      check(env, napi_get_boolean(env, t.usable, &usable));
      set(env, o, "id", id);
      set(env, o, "name", name);
      set(env, o, "usable", usable);
      set(env, o, "lanes64", make_number(env, t.k64->lanes));
      set(env, o, "lanes32", make_number(env, t.k32->lanes));
      check(env, napi_set_element(env, list, i++, o));
    }
    return list;
  });
}

// numbering() → {losses, activations, instructions}: names in the order of their numbers, and the instructions' numbers
// by name
napi_value numbering(napi_env env, napi_callback_info) {
  return guarded(env, [&] {
    const auto list = [&](const std::vector<const char*>& names) {
      napi_value out;
      check(env, napi_create_array(env, &out));
      for (uint32_t i = 0; i < names.size(); i++) {
        napi_value name;
        check(env, napi_create_string_utf8(env, names[i], NAPI_AUTO_LENGTH, &name));
        check(env, napi_set_element(env, out, i, name));
      }
      return out;
    };
#define MS_NAME(name, ...) #name,
    const napi_value out = object(env), numbers = object(env);
    set(env, out, "losses", list({MS_LOSSES(MS_NAME)}));
    set(env, out, "activations", list({MS_ACTIVATIONS(MS_NAME)}));
#undef MS_NAME
    // Those that proofs take, under the names of both lists.
    enum Enclosure { open, enclosed };
    std::vector<const char*> proofs;
#define MS_LOSS(name, response, state) \
  if (state == enclosed) proofs.push_back("loss " #name);
    MS_LOSSES(MS_LOSS)
#undef MS_LOSS
#define MS_UNIT(name, state) \
  if (state == enclosed) proofs.push_back("activation " #name);
    MS_ACTIVATIONS(MS_UNIT)
#undef MS_UNIT
    set(env, out, "enclosed", list(proofs));
#define MS_NUMBER(name, number, spoken) set(env, numbers, #spoken, make_number(env, number));
    MS_INSTRUCTIONS(MS_NUMBER)
#undef MS_NUMBER
    set(env, out, "instructions", numbers);
    return out;
  });
}

// startPoint(seed, start, normal, scale) → θ0, for the tests of the generator
napi_value start_point_of(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto args = arguments(env, info, 4);
    const auto scale = array<double>(env, args[3]);
    std::vector<double> out(scale.size);
    start_point(Philox(uint64_t(number(env, args[0]))), uint64_t(number(env, args[1])), boolean(env, args[2]),
                scale.data, int(scale.size), out.data());
    return doubles(env, out);
  });
}

napi_value init(napi_env env, napi_value exports) {
  // Threads that are still running when the environment goes must not outlive it.
  auto* own = new Running;
  napi_set_instance_data(env, static_cast<Environment*>(own), nullptr, nullptr);
  auto hook = [](void* data) {
    auto* gone = static_cast<Running*>(data);
    for (Session* s : gone->sessions) s->stop();
    gone->team.end();
  };
  napi_add_env_cleanup_hook(env, hook, own);
  const std::pair<const char*, napi_callback> functions[] = {{"createProblem", create_problem},
                                                             {"evaluate", evaluate},
                                                             {"outputs", outputs},
                                                             {"score", score},
                                                             {"run", run},
                                                             {"state", state},
                                                             {"take", take},
                                                             {"abort", abort_run},
                                                             {"targets", list_targets},
                                                             {"numbering", numbering},
                                                             {"startPoint", start_point_of},
                                                             {"prove", prove},
                                                             {"boxHolds", box_holds},
                                                             {"boxDerivatives", box_derivatives},
                                                             {"firstOutside", first_outside},
                                                             {"enclose", enclose<false>},
                                                             {"encloseBalls", enclose<true>},
                                                             {"bench", bench}};
  for (auto& [name, callback] : functions) {
    napi_value f;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &f);
    napi_set_named_property(env, exports, name, f);
  }
  return exports;
}

}  // namespace

NAPI_MODULE(manystart, init)
