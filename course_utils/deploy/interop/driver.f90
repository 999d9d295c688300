! A host model in miniature: load once, check the golden patch, then ask for every time step (chapter 15).
! driver MODEL.onnx GOLDEN.bin THREADS STEPS
program driver
  use, intrinsic :: iso_c_binding, only: c_float, c_int32_t
  use, intrinsic :: iso_fortran_env, only: error_unit, int64
  use cloud_mask
  implicit none
  type(cloud_mask_model) :: model
  real(c_float), allocatable :: image(:, :, :, :), expected(:, :, :), prob(:, :, :)
  real(c_float) :: tolerance, difference
  integer :: code, threads, steps, step
  integer(int64) :: clock(3), rate

  threads = number(3)
  steps = number(4)
  call read_golden(argument(2))
  call system_clock(clock(1), rate)
  code = model%load(argument(1), threads)
  if (code /= CLOUD_MASK_OK) call give_up("load", code)
  call system_clock(clock(2))
  do step = 1, steps
    code = model%forward(image, prob)
    if (code /= CLOUD_MASK_OK) call give_up("forward", code)
  end do
  call system_clock(clock(3))
  call model%free()

  difference = maxval(abs(prob - expected))
  print "(a, 4(i0, 1x))", "image(W, H, C, N): ", shape(image)
  print "(a, es7.1, a, es7.1)", "difference ", difference, ", allowed ", tolerance
  print "(a, f8.1, a, f8.1, a)", "load ", seconds(1) * 1000, " ms, a step ", seconds(2) * 1000 / steps, " ms"
  if (.not. difference <= tolerance) call leave("golden patch: another answer", 20)      ! NaN is not <= anything
  print "(a)", "golden patch: the same"

contains

  ! Eight letters, N C H W, the tolerance, the input, the output; the last axis is the fastest.
  subroutine read_golden(path)
    character(*), intent(in) :: path
    character(8) :: letters
    integer(c_int32_t) :: n(4)
    integer :: unit, status
    open (newunit=unit, file=path, access="stream", form="unformatted", status="old", action="read", iostat=status)
    if (status == 0) read (unit, iostat=status) letters, n, tolerance
    if (status /= 0) call leave("cannot read "//path, 30)
    if (letters /= "GOLDEN01" .or. any(n < 1)) call leave("no golden patch in "//path, 30)
    allocate (image(n(4), n(3), n(2), n(1)), expected(n(4), n(3), n(1)), prob(n(4), n(3), n(1)))
    read (unit, iostat=status) image, expected
    if (status /= 0) call leave("the golden patch is cut off: "//path, 30)
    close (unit)
    prob = -1
  end subroutine

  ! This program stops; a climate model would fall back to its own scheme, and go on.
  subroutine give_up(what, code)
    character(*), intent(in) :: what
    integer, intent(in) :: code
    character(12) :: digits
    write (digits, "(i0)") code
    call leave("could not "//what//", code "//trim(digits)//": "//cloud_mask_error(), 10)
  end subroutine

  subroutine leave(why, status)
    character(*), intent(in) :: why
    integer, intent(in) :: status
    write (error_unit, "(a)") why
    stop status, quiet=.true.
  end subroutine

  real function seconds(part)
    integer, intent(in) :: part
    seconds = real(clock(part + 1) - clock(part)) / real(rate)
  end function

  function argument(place) result(text)
    integer, intent(in) :: place
    character(:), allocatable :: text
    integer :: length
    call get_command_argument(place, length=length)
    allocate (character(length) :: text)
    call get_command_argument(place, text)
  end function

  integer function number(place)
    integer, intent(in) :: place
    integer :: status
    character(:), allocatable :: text
    text = argument(place)
    read (text, *, iostat=status) number
    if (status /= 0 .or. number < 1) call leave("use: driver MODEL.onnx GOLDEN.bin THREADS STEPS", 30)
  end function
end program
