// Stands in for the runtime library of torch_neuronx: the class and the operator of the published schema, computed on the CPU.
#include <torch/custom_class.h>
#include <torch/library.h>
#include <torch/torch.h>

#include <sstream>
#include <tuple>
#include <vector>

namespace {

using State = std::tuple<at::Tensor, int64_t>;

// What a compiler would have put into a NEFF: here a weight, and the batch that the model was compiled for.
struct Model : torch::CustomClassHolder {
  at::Tensor weight;
  int64_t batch;
  Model(at::Tensor weight, int64_t batch) : weight(std::move(weight)), batch(batch) {}
};

std::string shape(at::IntArrayRef sizes) {
  std::ostringstream text;
  for (size_t i = 0; i < sizes.size(); ++i) text << (i ? " " : "") << sizes[i];
  return text.str();
}

at::Tensor forward(at::TensorList inputs, const c10::intrusive_ptr<Model>& model) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    auto expected = inputs[i].sizes().vec();
    expected[0] = model->batch;
    TORCH_CHECK(inputs[i].size(0) == model->batch, "Incorrect tensor shape at input tensor #", i, ": received ",
                shape(inputs[i].sizes()), ", expected ", shape(expected), ".");
  }
  return inputs[0] * model->weight;
}

}  // namespace

TORCH_LIBRARY(neuron, m) {
  m.class_<Model>("Model")
      .def(torch::init<at::Tensor, int64_t>())
      .def_pickle([](const c10::intrusive_ptr<Model>& self) -> State { return {self->weight, self->batch}; },
                  [](State state) { return c10::make_intrusive<Model>(std::get<0>(state), std::get<1>(state)); });
  m.def("forward_v2_1(Tensor[] _0, __torch__.torch.classes.neuron.Model _1) -> Tensor");
}

TORCH_LIBRARY_IMPL(neuron, CPU, m) { m.impl("forward_v2_1", forward); }
