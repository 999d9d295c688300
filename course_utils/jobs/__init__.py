"""Programs that a launcher or a batch system starts (chapter 14).

`team` joins the processes that torchrun started, `data_parallel` trains with them, `scaling` times them; `launch`
starts them from a notebook and surely ends them. `cifar10` is the tuning challenge as a batch job.
"""
