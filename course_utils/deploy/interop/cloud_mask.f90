! A cloud mask for Fortran programs: cloud_mask.h with Fortran's types (chapter 15).
! Arrays are declared the other way round than in Python: image(W, H, C, N) and prob(W, H, N) lie in memory as
! PyTorch's (N, C, H, W) and (N, H, W) do, so nothing is copied or turned.
module cloud_mask
  use, intrinsic :: iso_c_binding
  implicit none
  private
  public :: cloud_mask_model, cloud_mask_error
  integer, parameter, public :: CLOUD_MASK_OK = 0, CLOUD_MASK_BAD_ARGUMENT = 1, CLOUD_MASK_BAD_FILE = 2, &
                                CLOUD_MASK_BAD_SHAPE = 3, CLOUD_MASK_BAD_INPUT = 4, CLOUD_MASK_ENGINE = 5

  ! Do not assign one to another: both would hold the same model, and freeing one leaves the other dangling.
  type :: cloud_mask_model
    private
    type(c_ptr) :: handle = c_null_ptr
  contains
    procedure :: load, forward, free
  end type

  interface
    integer(c_int) function c_load(path, threads, model) bind(c, name="cloud_mask_load")
      import :: c_int, c_char, c_ptr
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int), value :: threads
      type(c_ptr), intent(out) :: model
    end function
    integer(c_int) function c_forward(model, image_shape, image, prob_shape, prob) &
        bind(c, name="cloud_mask_forward")
      import :: c_int, c_int64_t, c_float, c_ptr
      type(c_ptr), value :: model
      integer(c_int64_t), intent(in) :: image_shape(4), prob_shape(3)
      real(c_float), intent(in) :: image(*)
      real(c_float), intent(inout) :: prob(*)
    end function
    subroutine c_free(model) bind(c, name="cloud_mask_free")
      import :: c_ptr
      type(c_ptr), intent(inout) :: model
    end subroutine
    type(c_ptr) function c_last_error() bind(c, name="cloud_mask_last_error")
      import :: c_ptr
    end function
  end interface

contains

  ! Read a model, to be used with some threads; a model that was loaded before is released.
  integer function load(self, path, threads) result(code)
    class(cloud_mask_model), intent(inout) :: self
    character(*), intent(in) :: path
    integer, intent(in) :: threads
    call self%free()
    code = c_load(trim(path)//c_null_char, int(threads, c_int), self%handle)
  end function

  ! Probabilities of images.
  integer function forward(self, image, prob) result(code)
    class(cloud_mask_model), intent(in) :: self
    real(c_float), contiguous, intent(in) :: image(:, :, :, :)     ! W, H, C, N
    real(c_float), contiguous, intent(inout) :: prob(:, :, :)      ! W, H, N
    integer(c_int64_t) :: image_shape(4), prob_shape(3)
    image_shape = shape(image)
    prob_shape = shape(prob)
    code = c_forward(self%handle, image_shape(4:1:-1), image, prob_shape(3:1:-1), prob)    ! N, C, H, W
  end function

  ! Release a model; harmless when there is none.
  subroutine free(self)
    class(cloud_mask_model), intent(inout) :: self
    call c_free(self%handle)
  end subroutine

  ! What the last call of this thread had to complain about.
  function cloud_mask_error() result(text)
    character(:), allocatable :: text
    character(kind=c_char), pointer :: letters(:)
    integer :: length
    call c_f_pointer(c_last_error(), letters, [512])
    length = 0
    do while (letters(length + 1) /= c_null_char)
      length = length + 1
    end do
    allocate (character(length) :: text)
    text = transfer(letters(:length), text)
  end function
end module
