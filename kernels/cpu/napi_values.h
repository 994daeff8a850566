// Small helpers over Node-API for addon.cc: reading arguments, making values, turning failures into exceptions.
#pragma once

#include <node_api.h>
#if defined(__linux__)
# include <sys/mman.h>
#endif

#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

namespace node {

/// Thrown after a JavaScript exception has been made pending, or to make one.
struct Failure {
  const char* message;
};

inline void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  throw Failure{info && info->error_message ? info->error_message : "Node-API call failed"};
}

/// An error of JavaScript. Where memory has run out, or the threads that there may be, its code says so.
inline napi_value error_of(napi_env env, const std::exception& error) {
  const auto* system = dynamic_cast<const std::system_error*>(&error);
  const bool exhausted = dynamic_cast<const std::bad_alloc*>(&error) ||
                         (system && system->code() == std::errc::resource_unavailable_try_again);
  napi_value message, code = nullptr, made;
  napi_create_string_utf8(env, exhausted ? "not enough memory" : error.what(), NAPI_AUTO_LENGTH, &message);
  if (exhausted) napi_create_string_utf8(env, "ENOMEM", NAPI_AUTO_LENGTH, &code);
  napi_create_error(env, code, message, &made);
  return made;
}
inline napi_value error_of(napi_env env, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& known) {
    return error_of(env, known);
  }
}

/// Runs the body of a function called from JavaScript; failures become exceptions there.
template <class F>
napi_value guarded(napi_env env, F body) {
  try {
    return body();
  } catch (const Failure& failure) {
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (!pending) napi_throw_error(env, nullptr, failure.message);
  } catch (const std::exception& error) {
    napi_throw(env, error_of(env, error));
  }
  return nullptr;
}

inline std::vector<napi_value> arguments(napi_env env, napi_callback_info info, size_t count) {
  std::vector<napi_value> args(count);
  size_t given = count;
  check(env, napi_get_cb_info(env, info, &given, args.data(), nullptr, nullptr));
  if (given < count) throw Failure{"too few arguments"};
  return args;
}

inline napi_value field(napi_env env, napi_value object, const char* name) {
  napi_value value;
  check(env, napi_get_named_property(env, object, name, &value));
  return value;
}
inline bool absent(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type));
  return type == napi_undefined || type == napi_null;
}
inline double number(napi_env env, napi_value value) {
  double out;
  check(env, napi_get_value_double(env, value, &out));
  return out;
}
inline double number(napi_env env, napi_value object, const char* name) {
  return number(env, field(env, object, name));
}
inline bool boolean(napi_env env, napi_value value) {
  bool out;
  check(env, napi_get_value_bool(env, value, &out));
  return out;
}
inline bool boolean(napi_env env, napi_value object, const char* name) {
  return boolean(env, field(env, object, name));
}

template <class T>
struct Span {
  T* data = nullptr;
  size_t size = 0;
};
template <class T>
Span<T> array(napi_env env, napi_value value) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  check(env, napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr));
  const auto wanted = std::is_same_v<T, double>     ? napi_float64_array
                      : std::is_same_v<T, uint32_t> ? napi_uint32_array
                      : std::is_same_v<T, uint8_t>  ? napi_uint8_array
                                                    : napi_int32_array;
  if (type != wanted) throw Failure{"a typed array of the wrong type"};
  return {static_cast<T*>(data), length};
}
template <class T>
Span<T> array(napi_env env, napi_value object, const char* name) {
  const napi_value value = field(env, object, name);
  if (absent(env, value)) return {};
  return array<T>(env, value);
}

/// New memory comes as pages that are made when they are written: where many are needed, large ones take a small part
/// of the time.
inline void prefer_large_pages([[maybe_unused]] void* memory, [[maybe_unused]] size_t bytes) {
#if defined(__linux__)
  constexpr size_t page = size_t(1) << 21;
  const size_t before = (page - reinterpret_cast<uintptr_t>(memory) % page) % page;
  // Where the system has none, all stays as it is.
  if (bytes >= before + page)
    madvise(static_cast<char*>(memory) + before, (bytes - before) / page * page, MADV_HUGEPAGE);
#endif
}

template <class T>
napi_value typed(napi_env env, napi_typedarray_type type, const T* data, size_t n, T** into = nullptr) {
  void* memory;
  napi_value buffer, out;
  check(env, napi_create_arraybuffer(env, n * sizeof(T), &memory, &buffer));
  prefer_large_pages(memory, n * sizeof(T));
  if (data && n) std::memcpy(memory, data, n * sizeof(T));
  if (into) *into = static_cast<T*>(memory);
  check(env, napi_create_typedarray(env, type, n, buffer, 0, &out));
  return out;
}
inline napi_value doubles(napi_env env, const std::vector<double>& v) {
  return typed(env, napi_float64_array, v.data(), v.size());
}
inline void set(napi_env env, napi_value object, const char* name, napi_value value) {
  check(env, napi_set_named_property(env, object, name, value));
}
inline napi_value make_number(napi_env env, double x) {
  napi_value out;
  check(env, napi_create_double(env, x, &out));
  return out;
}
inline napi_value object(napi_env env) {
  napi_value out;
  check(env, napi_create_object(env, &out));
  return out;
}

template <class T>
T* external(napi_env env, napi_value value) {
  void* data;
  check(env, napi_get_value_external(env, value, &data));
  return static_cast<T*>(data);
}

inline std::string text(napi_env env, napi_value value) {
  if (absent(env, value)) return "";
  char buffer[32];
  size_t length;
  check(env, napi_get_value_string_utf8(env, value, buffer, sizeof buffer, &length));
  return std::string(buffer, length);
}

}  // namespace node
